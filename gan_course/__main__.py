"""The command line: python -m gan_course train | sample | evaluate | doctor."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

# What the user can mend is said in one sentence; anything else is a bug and keeps its traceback.
USER_ERRORS = (ValueError, FileNotFoundError, PermissionError, IsADirectoryError, RuntimeError, FloatingPointError)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when the user must mend something, 2 when the command line is wrong."""
    options = parser().parse_args(arguments)
    try:
        return options.command(options) or 0
    except USER_ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """What can be typed."""
    top = argparse.ArgumentParser(prog="python -m gan_course", description="Train, sample and judge GANs.")
    commands = top.add_subparsers(required=True, metavar="train|sample|evaluate|doctor")

    sub = commands.add_parser("train", help="train a recipe on a set that ships or on a folder of images")
    sub.add_argument("recipe", help="dcgan, dcgan-fast, ...")
    sub.add_argument(
        "--data", required=True, help="a set that ships, such as mnist or emoji-styles, or a folder of images"
    )
    sub.add_argument("--out", required=True, type=Path, help="the folder for everything that the run writes")
    budget = sub.add_mutually_exclusive_group()
    budget.add_argument("--steps", type=_positive(int), help="how many steps (default: the recipe's)")
    budget.add_argument("--seconds", type=_positive(float), help="how long")
    sub.add_argument("--seed", type=int, help="default 0")
    sub.add_argument("--size", type=_positive(int), help="side of the images of a folder (default 32)")
    sub.add_argument(
        "--checkpoint-every", type=_positive(float), default=30, metavar="SECONDS", help="time between checkpoints (30)"
    )
    sub.add_argument("--resume", action="store_true", help="go on with the run that --out holds")
    sub.set_defaults(command=train)

    sub = commands.add_parser("sample", help="draw images from a checkpoint")
    sub.add_argument("checkpoint", help="a name that ships, a .safetensors file or a run's folder")
    sub.add_argument("-n", type=_positive(int), default=64, help="how many (default 64)")
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--label", type=int, help="the class to draw, for a conditional generator")
    sub.add_argument(
        "--out", required=True, type=Path, help=".png for a grid, .npy for float32 (N, C, H, W) in [-1, 1]"
    )
    sub.set_defaults(command=sample)

    sub = commands.add_parser("evaluate", help="judge checkpoints against real test images")
    sub.add_argument("checkpoint", nargs="+")
    sub.add_argument("--data", required=True, help="a set that ships, or a folder of images")
    sub.add_argument(
        "-n", type=_positive(int), default=10_000, help="generated images (default 10000); for pairs all are taken"
    )
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--json", type=Path, help="also write the numbers to this file")
    sub.add_argument("--html", type=Path, help="also write a page with the numbers and pictures")
    sub.set_defaults(command=evaluate)

    sub = commands.add_parser("doctor", help="check this machine and the files that ship")
    sub.set_defaults(command=doctor)
    return top


def _positive(kind):
    def parse(text: str):
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
        return value

    return parse


def train(options) -> int:
    """Train a recipe; a stopped run goes on with --resume."""
    from gan_course import data, methods, training
    from gan_course.training import checkpoint

    if options.recipe not in methods.RECIPES:
        raise ValueError(f"There is no recipe {options.recipe!r}; the recipes are {', '.join(methods.RECIPES)}.")
    state_file = options.out / checkpoint.RUN_FILE
    if state_file.exists() and not options.resume:
        raise ValueError(
            f"{options.out} holds a run already; go on with it by --resume, or choose another folder for a new one."
        )
    plan = _plan(options, state_file)
    images = data.load(plan["data"], "train", **({"size": plan["size"]} if plan["size"] else {}))
    run = training.Run(methods.RECIPES[options.recipe], images, plan["seed"])
    if options.resume:
        checkpoint.load_run(run, state_file)
        print(f"Going on after step {run.step}.")
    options.out.mkdir(parents=True, exist_ok=True)
    _write_json(options.out / "plan.json", plan)
    print(f"{options.recipe} on {images}, {run.device}. Stop with Ctrl-C, nothing is lost.")
    callbacks = [training.ProgressBar(options.recipe), training.Checkpoints(options.out, options.checkpoint_every)]
    training.train(run, plan["steps"], plan["seconds"], callbacks)
    _finish(run, options.out)
    if run.progress >= 1:
        return 0
    print("The budget is not used up; repeat the command with --resume to go on.")
    return 130  # 128 + SIGINT, what a shell expects of a program that was stopped


def _plan(options, state_file: Path) -> dict:
    """The budget, seed and data of this run: as typed, and where nothing was typed as the run had them before."""
    plan = {
        "data": options.data,
        "seed": options.seed,
        "steps": options.steps,
        "seconds": options.seconds,
        "size": options.size,
    }
    file = options.out / "plan.json"
    if options.resume:
        if not state_file.exists() or not file.exists():
            raise FileNotFoundError(f"{options.out} holds no run to go on with; start one without --resume.")
        before = json.loads(file.read_text(encoding="utf-8"))
        if options.steps is None and options.seconds is None:
            plan["steps"], plan["seconds"] = before["steps"], before["seconds"]
        for key in ("seed", "size"):
            plan[key] = before[key] if plan[key] is None else plan[key]
    plan["seed"] = plan["seed"] or 0
    return plan


def _finish(run, folder: Path) -> None:
    """Write generator, card, samples and log of a run, and say where they are."""
    from gan_course import plots, report, training
    from gan_course.files import write_atomically
    from gan_course.training import checkpoint

    training.save_network(run.sampler, folder / "generator.safetensors", checkpoint.card_of(run))
    images, columns = report.samples_of(run)
    plots.save_grid(images, folder / "samples.png", columns)
    log = "".join(json.dumps(row) + "\n" for row in run.history)
    write_atomically(folder / "log.jsonl", log.encode())
    print(f"{run.step} steps in {run.seconds:.0f} s. Look at {folder / 'samples.png'}; the generator is in {folder}.")


def sample(options) -> int:
    """Draw images from a checkpoint into a grid or an array."""
    from gan_course import plots, training

    if options.out.suffix not in (".png", ".npy"):
        raise ValueError(f"--out is {str(options.out)!r}; its name must end in .png for a grid or .npy for an array.")
    generator, card = _load_generator(options.checkpoint)
    if options.label is not None:
        _check_label(options, generator, card)
    images = training.sample(generator, options.n, options.seed, labels=options.label)
    if options.out.suffix == ".png":
        plots.save_grid(images, options.out)
    else:
        import io

        import numpy as np

        from gan_course.files import write_atomically

        content = io.BytesIO()
        np.save(content, images.numpy())
        write_atomically(options.out, content.getvalue())
    print(f"{options.n} images of {'x'.join(map(str, images.shape[1:]))} in {options.out}")
    return 0


def _check_label(options, generator, card: dict) -> None:
    """Raise a ValueError that names the classes unless --label is one of them."""
    if not hasattr(generator, "classes"):
        raise ValueError(
            f"The checkpoint {options.checkpoint!r} knows no classes, so --label cannot be obeyed; leave it out."
        )
    if not 0 <= options.label < generator.classes:
        names = card.get("classes", [])
        named = ": " + ", ".join(f"{i} {name}" for i, name in enumerate(names)) if names else ""
        raise ValueError(
            f"--label is {options.label}, but {options.checkpoint!r} knows {generator.classes} classes, "
            f"0 to {generator.classes - 1}{named}."
        )


def _load_generator(name: str, translates: bool = False):
    """A network that starts from noise, or one that starts from images, and its card; else a plain error."""
    from gan_course import data, training

    network, card = training.load_network(name)
    if not hasattr(network, "latent_dim") and not hasattr(network, "input_shape"):
        raise ValueError(f"{name!r} is a {type(network).__name__}, not a generator; name a generator's checkpoint.")
    if translates and hasattr(network, "latent_dim"):
        raise ValueError(
            f"{name!r} starts from noise, so there are no pairs to judge it on; take a set of single images."
        )
    if not translates and not hasattr(network, "latent_dim"):
        raise ValueError(
            f"{name!r} turns images into other images, so it has no samples of its own; judge it on pairs "
            f"({', '.join(data.PAIRS)}) with evaluate, or give it images with training.translate."
        )
    return network, card


def evaluate(options) -> int:
    """Judge checkpoints against the test split, in one table."""
    from gan_course import data, metrics, report

    has_pairs = options.data in data.PAIRS
    generators = {name: _load_generator(name, has_pairs)[0] for name in options.checkpoint}
    if has_pairs:
        rows, pictures = metrics.compare_translations(generators, data.load(options.data, "test"), options.seed)
        pictures = {name: images[:64] for name, images in pictures.items()}
    else:
        rows, pictures = _judge_samples(generators, options)
    print(report.text(rows))
    if options.json:
        _write_json(options.json, rows)
    if options.html:
        from gan_course.files import write_atomically

        write_atomically(options.html, report.html(rows, pictures).encode())
    return 0


def _judge_samples(generators: dict, options) -> tuple[list[dict], dict]:
    """A row of numbers and the first 64 samples of each generator that starts from noise; the real images first."""
    from gan_course import data, metrics

    rows, pictures = [], {}
    known = {}  # the real images' features, by their shape: the generators share them
    for name, generator in generators.items():
        _, size, _ = generator.image_shape
        real = data.load(options.data, "test", size=size, channels=generator.image_shape[0])
        if real.image_shape != tuple(generator.image_shape):
            raise ValueError(
                f"{name!r} draws images of shape {tuple(generator.image_shape)}, but {options.data!r} holds "
                f"{real.image_shape}; judge it against the data that it was trained on."
            )
        extractor, shape = metrics.extractor_for(real.name, real.image_shape), real.image_shape
        if shape not in known:
            known[shape] = metrics.features_of(real.images, extractor, "features of real images")
        labels = _labels_like(real, generator, options)
        numbers, fake = metrics.judge(generator, known[shape], extractor, options.n, options.seed, labels, title=name)
        rows.append(
            {
                "checkpoint": name,
                "data": real.name,
                "seed": options.seed,
                **numbers,
            }
        )
        pictures = pictures or {"real": real.images[:64]}
        pictures[name] = fake[:64]
    return rows, pictures


def _labels_like(real, generator, options):
    """Labels for a conditional generator, as often as the real images have them; None where that cannot be said."""
    if getattr(generator, "classes", None) != len(real.classes) or real.labels is None:
        return None
    import torch

    rows = torch.randint(len(real), (options.n,), generator=torch.Generator().manual_seed(options.seed))
    return real.labels.cpu()[rows]


def doctor(options) -> int:
    """Check this machine and the files that ship, one line each; 1 when something is wrong."""
    from gan_course import diagnosis

    lines = list(diagnosis.examine())
    for line in lines:
        print(line)
    return 1 if any(line.problem for line in lines) else 0


def _write_json(path: Path, value) -> None:
    from gan_course.files import write_atomically

    write_atomically(path, (json.dumps(value, indent=2) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
