"""What the chapter on instruction tuning says that its recorded runs show."""

from fmkit.records import read_runs


def test_form_comes_before_content() -> None:
    for run in read_runs("instructions"):
        at = run["steps"].index(100)
        assert run["json kind"][at] > 0.85
        assert run["json right"][at] == run["answer right"][at] == 0
        assert run["topic right"][-1] == 1
        assert run["answer right"][-1] < 0.3 < run["json right"][-1] < 0.6


def test_new_words_are_followed_no_new_tasks() -> None:
    for run in read_runs("instructions"):
        assert min(value for name, value in run["reworded"].items() if "kind" in name) >= 0.95
        assert not any("dollars" in said or "Once" in said for said in run["unknown"].values())


def test_one_wording_is_too_few() -> None:
    few, many = read_runs("one-wording"), read_runs("instructions")
    for kind in ("topic kind", "answer kind"):
        assert max(run["reworded"][kind] for run in few) < min(run["reworded"][kind] for run in many)


def test_copying_is_a_plateau_and_a_leap() -> None:
    for run in read_runs("copying"):
        right = dict(zip(run["steps"], run["order"], strict=True))
        assert max(share for step, share in right.items() if step <= 1_300) <= 0.02
        assert right[2_200] > 0.85
        assert run["json"][run["steps"].index(100)] > 0.97
        assert set(run["other_lengths"].values()) == {0}
        assert run["scores"]["exact"] < run["scores"]["order"]


def test_stories_are_forgotten() -> None:
    for name in ("instructions", "copying"):
        for run in read_runs(name):
            stories = dict(zip(run["steps"], run["stories"], strict=True))
            assert stories[0] < 0.6
            assert stories[200] > 6.94  # a blind guess
