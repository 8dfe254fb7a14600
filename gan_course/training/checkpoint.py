"""Networks and whole runs as safetensors files. Nothing is pickled, and every file is written whole or not at all.

A network's file carries its model card in its header, so the file alone is enough to rebuild it; the same card lies
beside it as JSON, for people, with the file's checksum.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from pathlib import Path

import torch
from torch import Tensor, nn

from gan_course import device as devices
from gan_course import networks
from gan_course.files import write_atomically
from gan_course.training import distributed

CHECKPOINT_FOLDER = Path(__file__).resolve().parent.parent / "assets" / "checkpoints"
RUN_FILE = "run.safetensors"


def save_network(network: nn.Module, path: str | os.PathLike, card: dict, half: bool = False) -> dict:
    """Write the network to `path` (.safetensors), and its card beside it (.json; `card.json` in a run's folder).

    Of several processes only the first writes.

    Args:
        network: one of gan_course.networks, which knows its own `config`.
        card: what a reader should know: recipe, data, steps, seed, seconds, metrics.
        half: store float16, as the shipped checkpoints are.

    Returns:
        The whole card.
    """
    from safetensors.torch import save

    path = Path(path)
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if half:
        state = {name: t.half() if t.is_floating_point() else t for name, t in state.items()}
    card = {
        **json.loads(json.dumps(card)),
        "network": networks.describe(network),
        "parameters": networks.blocks.count_parameters(network) or sum(p.numel() for p in network.parameters()),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    content = save(state, metadata={"card": json.dumps(card)})
    card = card | {"file": path.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    if distributed.is_first():
        write_atomically(path, content)
        write_atomically(_card_path(path), (json.dumps(card, indent=2) + "\n").encode())
    return card


def _card_path(path: Path) -> Path:
    return path.with_name("card.json") if path.stem == "generator" else path.with_suffix(".json")


def shipped() -> list[str]:
    """The names of the checkpoints that ship with the course."""
    return sorted(path.stem for path in CHECKPOINT_FOLDER.glob("*.safetensors"))


def find(checkpoint: str | os.PathLike) -> Path:
    """The file behind a shipped name, a file's path or a run's folder.

    Raises:
        FileNotFoundError: there is none; the message lists the names that ship.
    """
    path = Path(checkpoint).expanduser()
    candidates = [CHECKPOINT_FOLDER / f"{checkpoint}.safetensors", path / "generator.safetensors", path]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(
        f"{str(checkpoint)!r} is no checkpoint: it is neither a file, nor the folder of a finished run, nor a name "
        f"that ships ({', '.join(shipped())})."
    )


def load_network(checkpoint: str | os.PathLike, device: str | torch.device | None = None) -> tuple[nn.Module, dict]:
    """A network in evaluation mode, float32, and its card.

    Args:
        checkpoint: a name that ships, a .safetensors file, or the folder of a run.
        device: default: the best one there is.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        ValueError: the file is damaged, or is no checkpoint of the course.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as parse

    path = find(checkpoint)
    content = path.read_bytes()
    try:
        state, metadata = parse(content), _metadata(content)
        card = json.loads(metadata["card"])
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{path.name} is damaged or is not a checkpoint of this course ({error}).") from None
    sidecar = _card_path(path)
    if sidecar.is_file():
        written = json.loads(sidecar.read_text(encoding="utf-8"))
        if written.get("sha256") != hashlib.sha256(content).hexdigest():
            raise ValueError(
                f"{path.name} is not the file that {sidecar.name} describes: the checksums differ. Restore both "
                f"(for a shipped one: `git checkout -- gan_course/assets/checkpoints`)."
            )
        card = written
    network = networks.build(card["network"])
    network.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in state.items()})
    return network.to(devices.get(device)).eval().requires_grad_(False), card


def _metadata(content: bytes) -> dict[str, str]:
    """The header's metadata: safetensors is 8 bytes of length, then that much JSON, then the numbers."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]).get("__metadata__", {})


def card_of(run) -> dict:
    """What the card of a run's generator says, apart from its metrics."""
    extra = {"classes": list(run.data.classes)} if run.recipe.condition else {}
    if run.recipe.translation:
        extra["input_shape"] = list(run.data.input_shape)
    return extra | {
        "recipe": run.recipe.settings(),
        "data": getattr(run.data, "name", "unnamed"),
        "image_shape": list(run.data.image_shape),
        "steps": run.step,
        "images_seen": run.images_seen,
        "seed": run.seed,
        "seconds": round(run.seconds, 1),
        "hardware": devices.describe(run.device),
        "averaged": run.ema is not None,
    }


def save_run(run, path: str | os.PathLike) -> None:
    """Write all that a run needs to go on as if it had never stopped. Of several processes only the first writes."""
    from safetensors.torch import save

    if not distributed.is_first():
        return

    tensors = {}
    for prefix, network in _networks(run).items():
        for name, tensor in network.state_dict().items():
            tensors[f"{prefix}/{name}"] = tensor
    for prefix, optimizer in _optimizers(run).items():
        for index, state in optimizer.state_dict()["state"].items():
            for name, tensor in state.items():
                tensors[f"{prefix}/{index}/{name}"] = tensor
    tensors["rng/run"] = run.rng.get_state()
    tensors["rng/cpu"] = torch.get_rng_state()
    if run.device.type == "cuda":
        tensors["rng/cuda"] = torch.cuda.get_rng_state(run.device)
    facts = {
        "recipe": run.recipe.name,
        "data": getattr(run.data, "name", "unnamed"),
        "seed": run.seed,
        "step": run.step,
        "images_seen": run.images_seen,
        "seconds": run.seconds,
        "ema_updates": run.ema.updates if run.ema else 0,
        "history": run.history,
    }
    # clone: safetensors refuses tensors that share memory, and contiguous() alone may share it.
    tensors = {name: t.detach().cpu().clone().contiguous() for name, t in tensors.items()}
    write_atomically(Path(path), save(tensors, metadata={"run": json.dumps(facts)}))


def load_run(run, path: str | os.PathLike) -> None:
    """Bring a fresh run to where the saved one stood; on a CPU the rest is then bit for bit the same.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or belongs to another recipe, data set or seed.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as parse

    path = Path(path)
    content = path.read_bytes()
    try:
        tensors, facts = parse(content), json.loads(_metadata(content)["run"])
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{path.name} is damaged or is not the state of a run ({error}).") from None
    if "images_seen" not in facts:
        raise ValueError(f"{path} was saved by an older version of the course; train into another folder.")
    for what, here in (
        ("recipe", run.recipe.name),
        ("data", getattr(run.data, "name", "unnamed")),
        ("seed", run.seed),
    ):
        if facts[what] != here:
            raise ValueError(
                f"{path} is a run with {what} {facts[what]!r}, but {here!r} was asked for; go on with the same "
                "settings, or train into another folder."
            )
    for prefix, network in _networks(run).items():
        network.load_state_dict(_below(tensors, prefix))
    for prefix, optimizer in _optimizers(run).items():
        _load_optimizer(optimizer, _below(tensors, prefix))
    run.rng.set_state(tensors["rng/run"])
    torch.set_rng_state(tensors["rng/cpu"])
    if run.device.type == "cuda" and "rng/cuda" in tensors:
        torch.cuda.set_rng_state(tensors["rng/cuda"], run.device)
    run.step, run.seconds, run.history = facts["step"], facts["seconds"], facts["history"]
    run.images_seen = facts["images_seen"]
    if run.ema:
        run.ema.updates = facts["ema_updates"]


def _networks(run) -> dict[str, nn.Module]:
    found = {"generator": run.generator, "discriminator": run.discriminator}
    return found | ({"average": run.ema.network} if run.ema else {}) | ({"pools": run.pools} if run.pools else {})


def _optimizers(run) -> dict[str, torch.optim.Optimizer]:
    return {"g_optimizer": run.g_optimizer, "d_optimizer": run.d_optimizer}


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = prefix + "/"
    return {name[len(start) :]: tensor for name, tensor in tensors.items() if name.startswith(start)}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split("/")
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:
            # Fused Adam walks weights and moments in the order of memory, so both need one layout.
            tensor = torch.empty_like(parameter).copy_(tensor)
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
