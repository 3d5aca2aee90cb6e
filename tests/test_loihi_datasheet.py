"""Datasheets: complete, sourced, and refused when they are not."""

import tomllib
from importlib import resources

import pytest

from insectbot.chips.datasheet import DAGGER, EVIDENCE, load, parse
from insectbot.errors import ConfigurationError, UnknownNameError

SHEETS = [f.name for f in resources.files("insectbot.chips.datasheets").iterdir() if f.name.endswith(".toml")]


def leaves(tree, path=""):
    for key, node in tree.items():
        if "value" in node or not all(isinstance(v, dict) for v in node.values()):
            yield f"{path}{key}", node
        else:
            yield from leaves(node, f"{path}{key}.")


@pytest.mark.parametrize("sheet", SHEETS)
def test_no_leaf_lacks_unit_source_or_evidence(sheet):
    tree = tomllib.loads((resources.files("insectbot.chips.datasheets") / sheet).read_text())
    based = tree["chip"].pop("base", None)
    found = list(leaves(tree))
    assert len(found) > (2 if based else 20)
    for path, leaf in found:
        assert leaf.get("unit"), path
        assert leaf.get("source"), path
        assert leaf.get("evidence") in EVIDENCE, path
        assert leaf.get("value") is not None, path
        low, high = leaf.get("low"), leaf.get("high")
        if low is not None and high is not None:
            assert low <= leaf["value"] <= high, path


def test_loihi_figures():
    sheet = load("loihi")
    assert [sheet.int(f"limits.core.{k}") for k in ("compartments", "axons_in", "axons_out")] == [1024, 4096, 4096]
    assert sheet.int("limits.core.synapse_bits") == 128 * 1024 * 8
    davies = sheet.default_prices
    assert davies.name == "davies"
    assert davies.energy.synop == pytest.approx(23.6e-12)
    assert davies.time.neuron_idle == pytest.approx(5.3e-9)
    assert davies.energy.static_chip == pytest.approx(0.1044)
    assert [davies.time.barrier_at(n) for n in (1, 32)] == pytest.approx([113e-9, 465e-9])
    assert sheet.price_list("nahuku").time.barrier_at(29) == pytest.approx(1.8e-6)


def test_daggers_mark_memory_and_assumption():
    sheet = load("loihi")
    rows = {path: text for path, text, _ in sheet.table()}
    assert rows["prices.davies.energy.host_byte"].endswith(DAGGER)
    assert DAGGER not in rows["prices.davies.energy.synop"]
    for path, figure in sheet.figures.items():
        assert (DAGGER in rows[path]) == (figure.evidence in ("memory", "assumed"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\nb = 3", "must be a table"),
        ('[a]\nb = {value = 1, unit = "1", evidence = "read"}', "lacks source"),
        ('[a]\nb = {value = 1, unit = "1", evidence = "guess", source = "x"}', "must be one of"),
        ('[a]\nb = {value = 1, unit = "1", evidence = "read", source = "x", hi = 3}', "unknown entry 'hi'"),
        ("[a", "not valid TOML"),
        (
            '[prices.p.energy]\nsynop = {value = 1, unit = "pJ", evidence = "read", source = "x"}',
            "lacks energy.synop_learn",
        ),
    ],
)
def test_a_bad_sheet_is_refused_in_one_sentence(text, message):
    with pytest.raises(ConfigurationError, match=message):
        parse(text, "test")


def test_unknown_names_list_the_known():
    with pytest.raises(UnknownNameError, match="loihi"):
        load("loihi9")
    with pytest.raises(UnknownNameError, match="davies, nahuku"):
        load("loihi").price_list("x")
    with pytest.raises(UnknownNameError, match="has no figure"):
        load("loihi")["limits.core.nothing"]
