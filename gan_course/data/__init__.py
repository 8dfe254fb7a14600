"""Real images, offline: `data.load(name)`; and two-dimensional toy distributions: `data.toy`."""

from gan_course.data import domains, toy
from gan_course.data.images import ImageSet, to_float, to_uint8
from gan_course.data.pairs import ImagePairs, outlines
from gan_course.data.sources import PAIRS, SHIPPED, load

__all__ = ["PAIRS", "SHIPPED", "ImagePairs", "ImageSet", "domains", "load", "outlines", "to_float", "to_uint8", "toy"]
