"""What the book says that its recorded runs show."""

from itertools import pairwise

from fmkit.records import Run, by_setting, read_runs, score
from fmkit.world.facts import YEARS, Almanac


def test_larger_batches_need_fewer_steps_but_not_in_proportion() -> None:
    def steps(run: Run) -> float:
        reached = next(t for t, loss in zip(run["tokens"], run["loss"], strict=True) if loss <= 4.75)
        return float(reached / (128 * run["settings"]["batch_size"]))

    runs, sizes = read_runs("batch-size"), (1, 4, 16, 64)
    by_rate = [by_setting(runs, "batch_size", steps, learning_rate=rate) for rate in (0.003, 0.01, 0.03)]
    needed = [min(found[size].mean for found in by_rate) for size in sizes]
    assert needed == sorted(needed, reverse=True)
    saved = [before / after for before, after in pairwise(needed)]
    assert max(saved) < 4
    assert saved[-1] < 1.3


def test_up_to_four_readings_the_seeds_hide_what_repeating_costs() -> None:
    runs = read_runs("repetition")
    fresh, repeated = (by_setting(runs, "epochs", score("loss"), text=text) for text in ("fresh", "repeated"))
    for epochs in (2, 4):  # the seeds differ more than the texts do
        assert repeated[epochs].low < fresh[epochs].high
        assert fresh[epochs].low < repeated[epochs].high
    behind = [repeated[epochs].low - fresh[epochs].high for epochs in (8, 16, 32)]
    assert 0 < behind[0] < behind[1] < behind[2]


def test_many_readings_are_learned_by_heart() -> None:
    runs = read_runs("repetition")
    loss = by_setting(runs, "epochs", score("loss"), text="repeated")
    training = by_setting(runs, "epochs", score("training"), text="repeated")
    assert loss[32].low > loss[16].high + 0.5
    assert training[32].high < loss[32].low / 5


def test_a_teacher_helps_most_where_there_is_little_text() -> None:
    runs = read_runs("distillation")
    few, many = (
        by_setting(runs, "method", score("loss"), stories=stories, temperature=1.0)
        for stories in (300, 20_000)
    )
    assert few["soft"].high < few["half soft"].low < few["half soft"].high < few["alone"].low
    assert many["teacher"].high < many["soft"].low < many["soft"].high < many["alone"].low
    assert few["alone"].low - few["soft"].high > many["alone"].high - many["soft"].low


def test_the_time_a_teacher_takes_is_better_spent_on_more_steps_where_there_is_text() -> None:
    runs = read_runs("distillation")
    for stories, teacher_wins in ((300, True), (20_000, False)):
        loss = by_setting(runs, "method", score("loss"), stories=stories, temperature=1.0)
        better, worse = ("soft", "alone, longer") if teacher_wins else ("alone, longer", "soft")
        assert loss[better].high < loss[worse].low


def test_texts_by_a_teacher_help_where_they_are_many() -> None:
    texts = by_setting(read_runs("distillation"), "stories", score("loss"), method="teacher's texts")
    alone = by_setting(read_runs("distillation"), "stories", score("loss"), method="alone")
    assert texts[5_500].high < alone[300].low < alone[300].high < texts[300].low


def test_softer_answers_teach_this_student_less() -> None:
    soft = by_setting(read_runs("distillation"), "temperature", score("loss"), method="soft", stories=300)
    assert list(soft) == [1.0, 2.0, 4.0, 8.0]
    assert all(cooler.high < warmer.low for cooler, warmer in pairwise(soft.values()))


def test_a_low_rank_is_enough_near_the_base_and_not_far_from_it() -> None:
    near, far = read_runs("lora-near"), read_runs("lora-rank")
    before = sum(run["before"]["abroad"] for run in near) / len(near)
    abroad = by_setting(near, "rank", score("abroad"))
    gain = {rank: before - abroad[rank].mean for rank in (1, 2, 4, 8, 16)}
    assert gain[1] > 0.6 * max(gain.values())
    exact = by_setting(far, "rank", score("exact"), embeddings=1)
    assert exact[1].high < 0.3 * exact[16].low
    intents = by_setting(far, "rank", score("intent"), embeddings=1)
    assert [*gain] == sorted(gain, key=lambda rank: intents[rank].mean)
    assert all(run["scores"]["json"] == 0 for run in far if not run["settings"]["embeddings"])


def test_old_years_are_kept_where_they_are_replayed() -> None:
    runs, almanac = read_runs("cutoff"), Almanac()
    facts = {year: [question.answer for question in almanac.questions(year)] for year in YEARS}
    for year in (2021, 2022):
        same = [a == b for a, b in zip(facts[year], facts[2023], strict=True)]
        right = by_setting(runs, "update", score(str(year)))
        assert right["0"].high <= sum(same) / len(same)
        assert min(right["none"].low, right["0.25"].low, right["0.5"].low) > 0.95
    assert by_setting(runs, "update", score("2024"))["none"].high < 0.25
