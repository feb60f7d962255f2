"""Fragments are merged, and conflicts refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.aws.fragments import FragmentError, joined, read


def write(folder: Path, **fragments: str) -> list[Path]:
    """Write fragments, and return their files."""
    for name, text in fragments.items():
        (folder / f"{name}.yaml").write_text(text)
    return [folder / f"{name}.yaml" for name in fragments]


def test_short_tags_are_written_out(tmp_path: Path) -> None:
    """!Ref, !GetAtt, !Sub and !If become what CloudFormation's JSON has."""
    (file,) = write(
        tmp_path,
        one="a: !Ref Vpc\nb: !GetAtt Vpc.Blocks.0\nc: !If [X, !Sub '${Y}', !Ref Z]\nd: !Condition X\n",
    )

    assert read(file) == {
        "a": {"Ref": "Vpc"},
        "b": {"Fn::GetAtt": ["Vpc", "Blocks.0"]},
        "c": {"Fn::If": ["X", {"Fn::Sub": "${Y}"}, {"Ref": "Z"}]},
        "d": {"Condition": "X"},
    }


def test_two_fragments_may_add_to_one_resource(tmp_path: Path) -> None:
    """Properties of one resource may stand in two files."""
    files = write(
        tmp_path, one="Resources: {Api: {Properties: {A: 1}}}", two="Resources: {Api: {Properties: {B: 2}}}"
    )

    assert joined(files) == {"Resources": {"Api": {"Properties": {"A": 1, "B": 2}}}}


def test_one_user_of_an_alias_may_be_added_to(tmp_path: Path) -> None:
    """A YAML alias is a copy: an addition to one use is not in the other."""
    files = write(tmp_path, one="A: &shared {X: 1}\nB: *shared\n", two="A: {Y: 2}")

    assert joined(files) == {"A": {"X": 1, "Y": 2}, "B": {"X": 1}}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("Parameters: {Stage: {Type: String}}", "Parameters.Stage.Type"),
        ("Resources: {Queue: {Type: AWS::SQS::Queue}}", "Resources.Queue.Type"),
        ("Conditions: {Open: !Equals [1, 2]}", "Conditions.Open"),
        ("Conditions: {Open: !Not [!Equals [1, 2]]}", "Conditions.Open"),
    ],
)
def test_two_fragments_may_not_define_the_same(tmp_path: Path, text: str, where: str) -> None:
    """A second definition of anything is refused by its name and file, also an equal one."""
    first = "Parameters: {Stage: {Type: String}}\nResources: {Queue: {Type: AWS::SQS::Queue}}\n"
    files = write(tmp_path, one=first + "Conditions: {Open: !Equals [1, 2]}", two=text)

    with pytest.raises(FragmentError, match=rf"two\.yaml: {where} "):
        joined(files)


def test_a_name_may_not_stand_twice_in_a_fragment(tmp_path: Path) -> None:
    """A second resource of a name, which YAML would silently prefer, is refused with its line."""
    (file,) = write(tmp_path, one="Resources:\n  Queue: {}\n  Queue: {}\n")

    with pytest.raises(FragmentError, match=r"Queue is given twice[\s\S]*line 2"):
        read(file)


def test_broken_yaml_is_refused_by_name(tmp_path: Path) -> None:
    """A fragment that is not YAML is named."""
    (file,) = write(tmp_path, one="Resources: [")

    with pytest.raises(FragmentError, match=r"one\.yaml: "):
        read(file)
