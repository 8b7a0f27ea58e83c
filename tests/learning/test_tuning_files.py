"""A hosted model is told what it will be asked, shown only what is there to learn from, and nothing if that is too little."""

import orjson
import pytest

from climate_assets.claims.prompts import PROMPTS, json_schema
from climate_assets.claims.records import Category
from climate_assets.failures import Permanent
from climate_assets.learning.examples import LEAST_EXAMPLES
from climate_assets.learning.records import TrainingExample
from climate_assets.learning.tuning_files import SHOTS, tuning_files
from tests.learning.cases import example

KEY = "misinfo-french-003"
FOLDER = "training_sets/line=misinfo-french/round=misinfo-french-003"
TOPICS = [
    "soleil",
    "volcan",
    "glacier",
    "nuage",
    "charbon",
    "éolienne",
    "forêt",
    "océan",
    "arctique",
    "moisson",
    "canicule",
    "vent",
]


def said(number: int, label: str = "none", split: str = "train", marked: bool = True, **more: object) -> TrainingExample:
    """A chunk in its own words; if something is claimed, the words that say it are marked."""
    topic = TOPICS[number % len(TOPICS)]
    claim = f"le {topic} numéro {number} explique tout et l' homme n' y est pour rien"
    category = "" if label == "none" else f"{Category.NOT_US.value},{Category.NOT_BAD.value}"
    given = {"text": f"bonsoir {topic} {claim} voilà {topic} {number}", "label": label, "category": category, "split": split}
    return example(item_id=f"i{number:03}", marked=[claim, "autre"] if marked and label != "none" else [], **{**given, **more})


ENOUGH = [said(n, ("none", "unchallenged", "challenged")[n % 3]) for n in range(LEAST_EXAMPLES + 2)]


def lines(files: dict[str, bytes]) -> list[dict]:  # type: ignore[type-arg]
    return [orjson.loads(line) for line in files[f"{FOLDER}/fine_tuning.jsonl"].splitlines()]


def test_each_line_is_a_chat_as_the_newest_prompt_has_it() -> None:
    files, why = tuning_files(KEY, ENOUGH)
    assert (sorted(files), why) == ([f"{FOLDER}/few_shots.json", f"{FOLDER}/fine_tuning.jsonl"], "")
    newest = list(PROMPTS.values())[-1]
    fields = json_schema()["json_schema"]["schema"]["required"]
    chats = lines(files)
    assert len(chats) == len(ENOUGH)
    for chat, shown in zip(chats, ENOUGH, strict=True):
        assert list(chat) == ["messages"]
        system, user, assistant = chat["messages"]
        assert [turn["role"] for turn in chat["messages"]] == ["system", "user", "assistant"]
        assert system["content"].startswith(newest.system)
        assert shown.text in user["content"]
        answer = orjson.loads(assistant["content"])
        assert list(answer) == fields
        assert answer["quote"] == (shown.marked[0] if shown.marked else "")
        assert answer["category"] == (Category.NOT_US.value if shown.marked else Category.NONE.value)
        assert answer["challenged"] == (shown.label == "challenged")
        assert answer["rationale"].strip()


def test_a_prompt_is_named_or_refused() -> None:
    assert tuning_files(KEY, ENOUGH, "v1") == tuning_files(KEY, ENOUGH[::-1], "v1")

    with pytest.raises(Permanent, match="no prompt 'v0'"):
        tuning_files(KEY, ENOUGH, "v0")


def test_shots_are_whole_examples() -> None:
    files, _ = tuning_files(KEY, ENOUGH)
    shots = orjson.loads(files[f"{FOLDER}/few_shots.json"])
    known = {e.item_id: e for e in ENOUGH}
    assert 0 < len(shots) <= SHOTS
    for shot in shots:
        of = known[shot["item_id"]]
        assert shot == {"text": of.text, "label": of.label, "category": of.category, "item_id": of.item_id}


def test_nothing_held_out_is_shown() -> None:
    held = [said(100 + n, "unchallenged", split) for n, split in enumerate(["dev", "test"] * 5)]
    files, _ = tuning_files(KEY, [*ENOUGH, *held])
    whole = b"".join(files.values()).decode()
    assert not any(e.text in whole for e in held)
    assert files == tuning_files(KEY, ENOUGH)[0]


@pytest.mark.parametrize(
    ("examples", "says"),
    [
        ([], "0 examples are fit for fine-tuning, 10 are needed"),
        (ENOUGH[: LEAST_EXAMPLES - 1], "9 examples are fit"),
        ([said(n, split="dev") for n in range(20)], "20 are left out, the first: it is held out (dev)"),
        # Nobody marked what is claimed: a model is not shown a claim without its words.
        ([said(n, "unchallenged", marked=False) for n in range(20)], "its answer contradicts itself"),
        ([said(n, "unchallenged", text="autre chose") for n in range(20)], "its quote is not in its text"),
        ([said(n, text=" ") for n in range(20)], "its text is blank"),
    ],
)
def test_too_few_are_a_reason_and_no_file(examples: list[TrainingExample], says: str) -> None:
    files, why = tuning_files(KEY, examples)
    assert files == {}
    assert says in why


def test_entities_have_no_hosted_model_and_a_wrong_round_is_refused() -> None:
    assert tuning_files("ner-french-000", ENOUGH) == ({}, "hosted models are tuned for verdicts only")
    with pytest.raises(Permanent, match="is no round"):
        tuning_files("french", ENOUGH)


def test_a_label_that_gold_does_not_know_is_no_reason_to_be_silent() -> None:
    with pytest.raises(Permanent, match="no assessment 'doubtful'"):
        tuning_files(KEY, [*ENOUGH, said(50, "doubtful")])
