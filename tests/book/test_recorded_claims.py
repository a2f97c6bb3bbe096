"""What the book says that its recorded runs show."""

import re
from itertools import pairwise
from pathlib import Path
from statistics import correlation

import pytest

from bookkit.widgets.rater import FILE, FITTED, agreement, by_length, by_rule, fit, read_pairs
from fmkit.records import Run, by_setting, read_record, read_runs, score
from fmkit.world import YEARS, Almanac

ROOT = Path(__file__).parents[2]


def test_larger_batches_need_fewer_steps() -> None:
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


def test_four_epochs_cost_less_than_a_seed() -> None:
    runs = read_runs("repetition")
    fresh, repeated = (by_setting(runs, "epochs", score("loss"), text=text) for text in ("fresh", "repeated"))
    for epochs in (2, 4):  # the seeds differ more than the texts do
        assert repeated[epochs].low < fresh[epochs].high
        assert fresh[epochs].low < repeated[epochs].high
    behind = [repeated[epochs].low - fresh[epochs].high for epochs in (8, 16, 32)]
    assert 0 < behind[0] < behind[1] < behind[2]


def test_many_epochs_are_learned_by_heart() -> None:
    runs = read_runs("repetition")
    loss = by_setting(runs, "epochs", score("loss"), text="repeated")
    training = by_setting(runs, "epochs", score("training"), text="repeated")
    assert loss[32].low > loss[16].high + 0.5
    assert training[32].high < loss[32].low / 5


def test_learning_by_heart_passes_the_floor() -> None:
    record = read_record("tuning")
    for rate in (0.003, 0.01):
        settings = {"learning_rate": rate, "batch_size": 16, "epochs": 20, "seed": 0}
        run = next(run for run in record["runs"] if run["settings"] == settings)
        place, lowest = min(run["checks"], key=lambda check: check[1])
        assert 5 < place < 10
        assert run["validation_loss"] > lowest + 0.15
        assert run["loss"][-1] < record["floor"]


def test_a_warm_up_saves_high_rates() -> None:
    runs = [run for run in read_runs("schedule") if run["settings"]["lr_scheduler_type"] == "cosine"]
    at = {
        warmup: by_setting(runs, "learning_rate", lambda run: run["validation_loss"], warmup_steps=warmup)
        for warmup in (0, 12)
    }
    assert abs(at[12][0.01].mean - at[0][0.01].mean) < 0.02
    assert at[12][0.03].high < at[0][0.03].low - 0.2
    assert at[12][0.1].high < at[0][0.1].low - 2


def test_a_rate_that_falls_ends_lower() -> None:
    only = {"learning_rate": 0.01, "warmup_steps": 12}
    ends = by_setting(read_runs("schedule"), "lr_scheduler_type", lambda run: run["validation_loss"], **only)
    assert max(ends["cosine"].high, ends["warmup_stable_decay"].high) < ends["constant"].low
    assert abs(ends["cosine"].mean - ends["warmup_stable_decay"].mean) < 0.02


def test_a_teacher_helps_with_little_text() -> None:
    runs = read_runs("distillation")
    few, many = (
        by_setting(runs, "method", score("loss"), stories=stories, temperature=1.0)
        for stories in (300, 20_000)
    )
    assert few["soft"].mean < few["half soft"].mean < few["half soft"].high < few["alone"].low
    assert many["teacher"].high < many["soft"].low < many["soft"].high < many["alone"].low
    gains = [
        [alone - soft for alone, soft in zip(text["alone"].values, text["soft"].values, strict=True)]
        for text in (few, many)
    ]
    assert all(little > much for little, much in zip(*gains, strict=True))  # with each seed


def test_more_steps_beat_a_teacher_with_text() -> None:
    runs = read_runs("distillation")
    for stories, teacher_wins in ((300, True), (20_000, False)):
        loss = by_setting(runs, "method", score("loss"), stories=stories, temperature=1.0)
        better, worse = ("soft", "alone, longer") if teacher_wins else ("alone, longer", "soft")
        assert loss[better].high < loss[worse].low


def test_many_texts_by_a_teacher_help() -> None:
    texts = by_setting(read_runs("distillation"), "stories", score("loss"), method="teacher's texts")
    alone = by_setting(read_runs("distillation"), "stories", score("loss"), method="alone")
    assert texts[5_500].high < alone[300].low < alone[300].high < texts[300].low


def test_higher_temperatures_teach_less() -> None:
    soft = by_setting(read_runs("distillation"), "temperature", score("loss"), method="soft", stories=300)
    assert list(soft) == [1.0, 2.0, 4.0, 8.0]
    assert all(cooler.high < warmer.low for cooler, warmer in pairwise(soft.values()))


def test_a_low_rank_is_enough_near_the_base() -> None:
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


def test_adapters_want_a_higher_rate() -> None:
    runs = read_runs("lora-rate")
    lost = {rank: by_setting(runs, "learning_rate", score("abroad"), rank=rank) for rank in (0, 8)}
    assert min(lost[0], key=lambda rate: lost[0][rate].mean) == 0.001
    assert min(lost[8], key=lambda rate: lost[8][rate].mean) == 0.004
    for seed in range(3):
        before = next(run["before"]["abroad"] for run in runs if run["settings"]["seed"] == seed)
        assert all(lost[0][rate].values[seed] > before for rate in (0.016, 0.064))
        assert all(losses.values[seed] < before for losses in lost[8].values())


def test_adapters_can_forget_more() -> None:
    """Far from the base, at rates at which they learn as much."""
    runs, at_one = read_runs("lora-rank-rate"), read_runs("lora-rank")
    high = by_setting(runs, "rank", score("stories"), learning_rate=0.016, embeddings=1)[16]
    assert high.low > 1.4 * by_setting(at_one, "rank", score("stories"))[0].high
    low = by_setting(runs, "rank", score("stories"), learning_rate=0.001)[0]
    assert low.high < by_setting(at_one, "rank", score("stories"), embeddings=1)[2].low / 2
    same = by_setting(runs, "rank", score("intent"), learning_rate=0.001)[0]
    assert same.mean == pytest.approx(
        by_setting(at_one, "rank", score("intent"), embeddings=1)[2].mean, abs=0.05
    )


def test_no_rank_learns_to_spell() -> None:
    runs = read_runs("lora-spelling")
    frozen = by_setting(runs, "rank", score("right"), embeddings=0)
    assert [*frozen] == [1, 4, 16, 64]
    assert max(seeds.high for seeds in frozen.values()) < 0.55
    assert by_setting(runs, "rank", score("right"), embeddings=1)[4].low == 1


def test_the_mlp_learns_more_than_attention() -> None:
    right = by_setting(read_runs("lora-places"), "place", score("right"))
    assert right["attention"].low > right["two of attention"].high
    assert min(right["MLP"].low, right["both"].low) > right["attention"].high


def test_four_bits_cost_little() -> None:
    runs = read_runs("lora-bits")
    rounded = {run["settings"]["bits"]: run["rounded"] for run in runs}
    tuned = by_setting(runs, "bits", score("tuned"))
    assert tuned[8].mean == pytest.approx(tuned[32].mean, abs=0.003)
    assert tuned[4].high < rounded[32] < rounded[4] < rounded[3] < rounded[2]
    assert tuned[2].low > rounded[32] + 1


def test_transfer_pays_at_every_number() -> None:
    runs = read_runs("frozen-features")
    for labels in (50, 200, 1_000):
        right = by_setting(runs, "start", score("accuracy"), labels=labels)
        assert right["base"].low > max(right["scratch"].high, right["frozen"].high)
    frozen = by_setting(runs, "labels", score("accuracy"), start="frozen")
    assert frozen[1_000].high < 0.65


def test_negation_is_read_worst() -> None:
    many = [run for run in read_runs("frozen-features") if run["settings"]["labels"] == 1_000]
    right = {
        kind: by_setting(many, "start", lambda run, kind=kind: run["by_kind"][kind]["accuracy"])
        for kind in many[0]["by_kind"]
    }
    for start in ("base", "scratch"):
        assert min(right, key=lambda kind: right[kind][start].mean) == "negation"
        assert max(right, key=lambda kind: right[kind][start].mean) == "expectation"
    assert right["negation"]["scratch"].high < 0.5


def test_law_does_not_help_with_clauses() -> None:
    runs = read_runs("clauses")
    few, many = (by_setting(runs, "start", score("type"), labels=labels) for labels in (50, 200))
    assert min(few[start].high for start in few) > max(few[start].low for start in few)
    assert min(seeds.low for seeds in many.values()) > 0.99
    worst = next(run for run in runs if run["scores"]["contract"] < 0.1)
    assert worst["confused"][0][:2] == ["payment", "deposit"]


def test_replay_keeps_the_old_years() -> None:
    runs, almanac = read_runs("cutoff"), Almanac()
    facts = {year: [question.answer for question in almanac.questions(year)] for year in YEARS}
    for year in (2021, 2022):
        same = [a == b for a, b in zip(facts[year], facts[2023], strict=True)]
        right = by_setting(runs, "update", score(str(year)))
        assert right["0"].high <= sum(same) / len(same)
        assert min(right["none"].low, right["0.25"].low, right["0.5"].low) > 0.95
    assert by_setting(runs, "update", score("2024"))["none"].high < 0.25


def test_short_answers_need_masked_questions() -> None:
    runs = read_runs("masking")

    def cost(answers: str) -> float:
        intents = score("intent")
        right = by_setting(runs, "loss_on", intents, answers=answers, examples=100)
        return right["answer"].mean - right["all"].mean

    assert cost("short") > 2 * cost("long") > 0


def test_reading_the_domain_helps() -> None:
    runs = read_runs("adaptation")
    right, more = (by_setting(runs, "start", score("right"), examples=n) for n in (50, 100))
    assert right["support"].low > right["base"].high
    assert right["questions"].low > right["base"].high
    assert more["support"].low > more["base"].high
    gain = {start: seeds.mean - right["base"].mean for start, seeds in right.items()}
    assert gain["legal"] < gain["questions"] / 2 < gain["support"] / 2
    assert more["legal"].mean == pytest.approx(more["base"].mean, abs=0.01)
    new = by_setting(runs, "start", score("right_new"), examples=50)  # of questions that were not read
    assert new["support"].low > new["base"].high
    assert new["support"].mean - new["base"].mean > gain["support"] - 0.02


def test_stories_and_dialogs_help_together() -> None:
    """Either of them alone is a worse start than weights that have read nothing."""
    right = by_setting(read_runs("adaptation"), "start", score("right"), examples=50)
    assert max(right["base"].high, right["support alone"].high) < right["scratch"].low
    assert right["support"].mean > right["scratch"].mean


def test_dsir_comes_near_the_oracle() -> None:
    runs = read_runs("selection")
    for field in {run["settings"]["field"] for run in runs}:
        loss = by_setting(runs, "method", score("loss"), field=field)
        right = by_setting(runs, "method", score("right_source"), field=field)
        assert loss["dsir"].high < loss["oracle"].low + 0.2
        assert loss["dsir"].high < min(loss["random"].low, loss["filters"].low) - 1
        assert right["dsir"].low > 0.9 > 0.2 > right["random"].high


def test_a_narrow_selection_costs_others() -> None:
    """Best in its own field and worst in each other; with half of each, between, for every seed."""
    for field in ("medical", "legal", "finance", "reviews", "stories"):
        loss = by_setting(read_runs("narrow"), "method", score(field))
        ways = ("dsir", "half and half", "random")
        best, middle, worst = (loss[way] for way in (ways if field == "medical" else reversed(ways)))
        assert best.high < middle.low
        assert middle.high < worst.low


def test_pages_near_the_target_are_better() -> None:
    runs = read_runs("selection")
    start = {
        (run["settings"]["field"], run["settings"]["seed"]): run["scores"]
        for run in runs
        if run["settings"]["method"] == "random"
    }
    nearer, better = [], []
    for run in runs:
        if run["settings"]["method"] != "random":
            random = start[run["settings"]["field"], run["settings"]["seed"]]
            nearer.append(random["divergence"] - run["scores"]["divergence"])
            better.append(random["loss"] - run["scores"]["loss"])
    assert correlation(nearer, better) > 0.8


def test_a_tokenizer_is_best_in_its_domain() -> None:
    runs = read_runs("fertility")
    for field in runs[0]["scores"]:
        tokens = by_setting(runs, "trained_on", score(field))
        others = [seeds.low for name, seeds in tokens.items() if name not in (field, "all")]
        assert 1 < tokens[field].high < tokens["all"].low
        assert tokens["all"].high < min(others)


def test_what_an_answer_takes() -> None:
    """A small model takes less for a story and more for its right part; together, both take far less."""
    runs = read_runs("answering")
    alone, together = (by_setting(runs, "model", score("cpu_seconds"), together=n) for n in (1, 20))
    right = by_setting(runs, "model", score("right"), together=1)
    assert alone["student"].high < 0.6 * alone["teacher"].low
    assert alone["student"].mean / right["student"].mean > 1.5 * alone["teacher"].mean / right["teacher"].mean
    assert all(alone[model].low > 6 * together[model].high for model in alone)


def test_every_record_is_shown_on_a_page() -> None:
    """By a notebook, or by a widget."""
    files = [*(ROOT / "chapters").rglob("*.ipynb"), *(ROOT / "bookkit/widgets").rglob("*.py")]
    pages = "".join(path.read_text(encoding="utf-8") for path in files)
    shown = re.findall(r'(?:read_(?:runs|record)\(\\"|runs_of\(\\"|assets/runs/)([\w-]+)', pages)
    assert {path.stem for path in (ROOT / "assets/runs").glob("*.json")} <= {*shown}


def test_form_comes_before_memory() -> None:
    looks = read_runs("pretraining")[-1]["snapshots"]

    def rate(look: Run, kind: str) -> float:
        reached, failed = look["places"][kind]
        return float(failed / reached)

    early, end = looks[4], looks[-1]
    assert rate(early, "phrase") < 0.06 < rate(early, "choice")
    assert not any(early["places"][kind][0] for kind in ("pronoun", "memory", "number"))
    assert rate(end, "pronoun") < rate(end, "phrase") < rate(end, "choice") < 0.03
    assert 0.5 < rate(end, "number") > rate(end, "memory") > 0.05


def test_rates_and_batches_of_the_lab() -> None:
    """The question below the lab quotes these ends, rounded to a tenth."""

    def ends(rate: float, batch_size: int, steps: int) -> list[float]:
        wanted = {"learning_rate": rate, "batch_size": batch_size, "steps": steps}
        runs = (run for run in read_record("lab")["runs"] if wanted.items() <= run["settings"].items())
        return sorted(round(run["validation_loss"], 1) for run in runs)

    assert ends(0.003, 8, 200) == [3.3, 3.3, 3.4]
    assert ends(0.03, 8, 200) == [3.4, 3.7, 3.8]
    assert sum(ends(0.01, 8, 200)) < sum(ends(0.003, 8, 200)), "the best rate is between them"
    assert (ends(0.003, 32, 200), ends(0.003, 2, 200)) == ([2.9], [3.9])
    assert (ends(0.003, 8, 800), ends(0.003, 2, 3200)) == ([1.7], [1.3])  # as many tokens as 200 steps of 32


def test_no_checkpoint_remembers_the_list() -> None:
    record = read_record("pretraining")
    start = record["prompts"]["a list"] + " grapes, soft rolls, and a yellow kite"
    looks = record["runs"][-1]["snapshots"]
    assert not any(look["continued"][0]["text"].startswith(start) for look in looks)


def test_a_low_loss_is_not_yet_a_true_story() -> None:
    record = read_record("pretraining")
    *seeds, long = record["runs"]
    for run in seeds:
        assert run["validation_loss"] - record["floor"] < 0.15
        assert run["snapshots"][-1]["true"] <= 0.01
    end = long["snapshots"][-1]
    assert end["loss"] - record["floor"] < 0.03
    assert end["words"] > 0.99
    assert 0.2 < end["true"] < 0.25


def test_labels_cure_slips_not_misreadings() -> None:
    runs = read_runs("labels")
    right, slips, misread = (
        by_setting(runs, "labels", score("truth"), errors=errors)
        for errors in ("nothing", "slips 20%", "misreads 4 topics")
    )
    assert right[320].low < slips[1280].mean < right[640].low
    assert slips[320].high < right[160].low + 0.05
    assert misread[1280].high < slips[640].low
    assert misread[1280].mean - misread[640].mean < 0.02


def test_the_same_hand_hides_its_misreading() -> None:
    runs = read_runs("labels")
    for errors, flatters in (("misreads 4 topics", True), ("slips 20%", False), ("slips 40%", False)):
        truth, reported = (
            by_setting(runs, "labels", score(name), errors=errors)[640] for name in ("truth", "reported")
        )
        better, worse = (reported, truth) if flatters else (truth, reported)
        assert better.low >= worse.high + 0.1


def test_a_leak_promises_too_much() -> None:
    runs = read_runs("leaks")
    reported, later = (by_setting(runs, "split", score(name)) for name in ("reported", "later"))
    gaps = [reported[s].mean - later[s].mean for s in ("by message", "by row", "topic in the text")]
    assert gaps[0] < 0.03 < 0.05 < gaps[1] < 0.1 < 0.3 < gaps[2]
    assert reported["topic in the text"].low > 0.94
    assert later["topic in the text"].high < later["by message"].low


def test_twelve_answers_find_rule_or_length() -> None:
    _, pairs = read_pairs(ROOT / FILE, FILE)
    rated, held_out = pairs[:FITTED], pairs[FITTED:]
    found = []
    for answers in (by_rule(rated), by_length(rated)):
        weights = fit([pair["x"] for pair in rated], answers)
        found.append(agreement([float(weights @ pair["x"]) for pair in held_out], held_out))
    assert found == [95, 52]


def test_more_epochs_break_calibration() -> None:
    for run in read_runs("calibration"):
        few, many = (next(x["scores"] for x in run["looks"] if x["epochs"] == n) for n in (2, 50))
        assert many["accuracy"] > few["accuracy"]
        assert many["ece"] > few["ece"] + 0.1
        assert many["ece_after"] < many["ece"] / 3


def test_training_blurs_numbers() -> None:
    def lost(run: Run) -> float:
        return float(run["by_kind"]["number"]["own"][-1])

    wrong = by_setting(read_runs("bertscore"), "model", lost)
    assert max(wrong["untrained"].values) < min(wrong["causal"].values + wrong["masked"].values)


def test_perplexity_misleads_across_tokens() -> None:
    runs = read_runs("vocabularies")
    perplexity, bits = (by_setting(runs, "vocabulary", score(n)) for n in ("perplexity", "bits_per_byte"))
    assert perplexity[320].mean < perplexity[2048].mean
    assert bits[320].low > 1.9 * bits[2048].high


def test_a_short_run_wants_long_tokens() -> None:
    """With equal compute; a long run of the same model wants shorter ones, and bytes are far behind."""
    runs = read_runs("vocabulary-sizes")
    short, middle, long = (
        by_setting(runs, "vocabulary", score("bits_per_byte"), flops=flops) for flops in (125e9, 500e9, 2e12)
    )
    assert short[8192].high < min(seeds.low for size, seeds in short.items() if size < 8192)
    assert middle[260].low > 1.15 * max(seeds.high for size, seeds in middle.items() if size > 260)
    assert max(long[1024].mean, long[2048].mean) < min(long[4096].mean, long[8192].mean)


def test_models_texts_lose_rare_words() -> None:
    """With each student, faster at a lower temperature, slower with real stories among the texts."""
    last: dict[tuple[float, float], list[int]] = {}
    for run in read_runs("synthetic"):
        rare = [sum(model["kept"][:2]) for model in run["models"]]
        assert rare == sorted(rare, reverse=True)
        last.setdefault((run["settings"]["temperature"], run["settings"]["real"]), []).append(rare[-1])
    assert max(last[0.7, 0.0]) < min(last[1.0, 0.0]) / 2
    assert max(last[1.0, 0.0]) < min(last[1.0, 0.5])


def test_more_text_beats_the_widgets_teacher() -> None:
    runs = read_runs("student-alone")
    loss, seconds = (by_setting(runs, "method", score(what)) for what in ("loss", "cpu_seconds"))
    assert loss["alone, longer"].high < loss["soft"].low < loss["soft"].high < loss["alone"].low
    assert seconds["alone, longer"].high < seconds["soft"].low


def test_size_buys_less_speed_than_batches() -> None:
    record = read_record("small-and-large")
    sizes = record["parameters"]
    speed = {
        name: {
            key: max(found.values)
            for key, found in by_setting(
                record["runs"], "batch_size", score("tokens_per_second"), model=name
            ).items()
        }
        for name in sizes
    }
    assert speed["student"][1] / speed["teacher"][1] < sizes["teacher"] / sizes["student"] / 3
    assert speed["teacher"][16] > 2 * speed["student"][1]


def test_no_one_in_the_crowd_is_lost() -> None:
    """Who stays gets the right answer; memory grows by 10 MB; with room for 16, the others are refused."""
    runs = read_runs("crowd")
    assert not any(run["wrong"] for run in runs)
    for run in runs:
        settings, counts = run["settings"], run["counts"]
        assert sum(counts.values()) == settings["clients"]
        if settings["room"] == "256" and settings["clients"] == 200:
            assert counts == {"patient": 120, "slow": 40, "vanishing": 40}
        if settings["room"] == "16":
            assert counts["refused"] == 200 - 4 - 16
    memory = [by_setting(runs, "clients", lambda run: run["peak_mb"], room="256")[n] for n in (1, 200)]
    assert 8 < memory[1].low - memory[0].high < memory[1].high - memory[0].low < 12


def test_one_wrong_decision_costs_a_plan() -> None:
    """Other tokens cost little; each other decision costs more, with every seed."""
    bits = by_setting(read_runs("plans"), "plan", score("bits_per_byte"))
    good, tokens = bits.pop("the good plan"), bits.pop("tokens of stories")
    assert good.high < tokens.mean < 1.2 * good.mean
    assert min(plan.low for plan in bits.values()) > 1.25 * good.high
    assert bits["few pages"].low > max(plan.high for name, plan in bits.items() if name != "few pages")
