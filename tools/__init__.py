"""Scripts for authors; a learner needs none of them."""
