"""The words of the story world: its things, its characters, and the facts about each of them.

Lists are written from the common to the rare, since the k-th thing of a list is drawn with weight 1/(k+3).
"""

from __future__ import annotations

import random
from typing import Any

from fmkit.data.world_template import Entity

__all__ = ["noun", "nouns", "words"]

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")


def noun(word: str) -> Entity:
    """A thing with its articles and a form for every number: ``noun("pear")["three"] == "pears"``.

    An irregular plural follows a slash: ``noun("goose/geese")``.
    """
    one, _, many = word.partition("/")
    if not many:
        if one.endswith("y") and one[-2] not in "aeiou":
            many = one[:-1] + "ies"
        else:
            many = one + ("es" if one.endswith(("s", "x", "ch", "sh")) else "s")
    article = "an" if one[0] in "aeiou" or one == "honest" else "a"
    forms = {number: one if number == "one" else many for number in NUMBERS}
    return Entity(one, a=f"{article} {one}", the=f"the {one}", many=many, **forms)


def nouns(text: str) -> list[Entity]:
    """Things from a list of words separated by commas."""
    return [noun(word.strip()) for word in text.split(",")]


def _numbers() -> dict[str, list[Entity]]:
    """Numbers that know how they come apart: four is one and three, two and two, three and one."""
    number = [
        Entity(name, was="was" if name == "one" else "were", them="it" if name == "one" else "them")
        for name in NUMBERS
    ]
    for name in number:
        name["is"] = "is" if name["name"] == "one" else "are"
    for n in range(3, len(NUMBERS)):
        taken = range(1, min(n, 4))
        number[n]["parts"] = [Entity(NUMBERS[k], gone=number[k], left=number[n - k]) for k in taken]
        number[n]["less"] = number[n - 1]
    return {"number": number[3:], "few": number[2:6]}


# --- Characters -------------------------------------------------------------------------------------------

GIRLS = (
    "Lily, Mia, Anna, Sue, Lucy, Emma, Ella, Zoe, Rose, Amy, Nora, Ruby, Clara, Ivy, Grace, Alice, Molly, "
    "Sara, Kate, Hana, Nina, Maya, Tess, Leila, Olive, June, Wendy, Pia, Yuki, Dora, Fern, Greta"
)
BOYS = (
    "Tim, Ben, Max, Sam, Tom, Jack, Leo, Finn, Noah, Jake, Adam, Omar, Theo, Luke, Hugo, Dan, Eli, Oscar, "
    "Peter, Ravi, Toby, Oliver, Felix, Ned, Kofi, Ivan, Carl, Louis, Mateo, Ken, Walter, Arun"
)
ANIMALS = (
    "Benny the rabbit, Rusty the fox, Pip the mouse, Bruno the bear, Hazel the squirrel, Prickle the hedgehog, "
    "Daisy the lamb, Otto the otter, Bella the deer, Croak the frog, Momo the monkey, Penny the pig, "
    "Chip the beaver, Willow the raccoon, Digger the mole, Shelly the turtle, Gus the goat, Honey the pony, "
    "Basil the badger, Coco the kangaroo, Ellie the elephant, Stripe the tiger, Poppy the panda, Fluff the sheep"
)
SHE = {
    "Hazel",
    "Daisy",
    "Bella",
    "Penny",
    "Willow",
    "Shelly",
    "Honey",
    "Coco",
    "Ellie",
    "Poppy",
    "Fluff",
    "Pip",
}
HOMES = (
    "in a small house by the river|the river, in a tall house on a hill|the hill, "
    "on a farm near the woods|the woods, in a little cabin by the lake|the lake, "
    "in a white house near the sea|the shore, in a red house next to the school|the school yard, "
    "in a cozy house at the end of the road|the road, in an old house with a big garden|the garden, "
    "above a bakery in the town|the town square, in a wooden house under the pines|the pine trees, "
    "in a stone house beside the mill|the mill, in a yellow house across from the park|the park gate, "
    "in a tiny village in the mountains|the village well, on a boat in the harbor|the harbor, "
    "in a brick house near the station|the station, in a round house in the valley|the valley"
)
DENS = (
    "in a hollow tree|the old tree, under a big rock|the big rock, in a warm den by the stream|the stream, "
    "in the tall grass|the grass, at the edge of the forest|the forest, beside a quiet pond|the pond, "
    "behind a waterfall|the waterfall, under the roots of an oak|the oak tree, on a green hill|the hill, "
    "in a dry cave|the cave, near a field of clover|the field, by a bend in the river|the river"
)
FOODS = (
    "pancakes|a plate of, soup|a bowl of, noodles|a bowl of, cheese|a plate of, strawberries|a basket of, "
    "popcorn|a bag of, rice|a bowl of, apple pie|a slice of, carrots|a bunch of, cookies|a box of, "
    "toast|a plate of, grapes|a bunch of, beans|a bowl of, pizza|a slice of, oatmeal|a bowl of, "
    "dumplings|a plate of, yogurt|a cup of, corn|a plate of, waffles|a plate of, pasta|a plate of"
)
TREATS = (
    "berries|a basket of, nuts|a bag of, honey|a jar of, mushrooms|a basket of, carrots|a bunch of, "
    "clover|a bunch of, seeds|a bag of, apples|a sack of, acorns|a bag of, plums|a bowl of, "
    "cabbage|a bowl of, turnips|a sack of"
)
HOBBIES = (
    "painting, singing, dancing, reading, climbing trees, drawing, swimming, telling jokes, building towers, "
    "playing the drum, picking flowers, jumping rope, riding bikes, collecting stones, doing puzzles, "
    "watching birds, making up songs, looking at the stars, baking, running fast"
)
GAMES = (
    "singing, dancing, digging, swimming, chasing butterflies, telling stories, rolling down hills, jumping, "
    "looking at the moon, playing tag, splashing in puddles, counting clouds"
)
PETS = (
    "dog Rover, cat Milo, rabbit Snowy, puppy Biscuit, kitten Mittens, hamster Nibbles, parrot Kiki, turtle Speedy, "
    "dog Rex, cat Whiskers, goat Pepper, duck Waddles, puppy Spot, kitten Ginger, rabbit Clover, dog Bingo, "
    "cat Socks, hamster Peanut, parrot Mango, turtle Pebble, duck Puddle, puppy Buddy, cat Shadow, dog Lucky"
)
GIRL = {"kind": "girl", "he": "she", "him": "her", "his": "her", "himself": "herself"}
BOY = {"kind": "boy", "he": "he", "him": "him", "his": "his", "himself": "himself"}


def _characters(seed: int) -> dict[str, list[Entity]]:
    """All named characters, with facts dealt out by the seed: another seed is another world."""
    rng = random.Random(f"facts {seed}")

    def deal(text: str) -> Any:
        """Hand out the items of a list one by one, and shuffle the list again whenever it is used up."""
        items = [item.strip() for item in text.split(",")]
        while True:
            left = list(items)
            while left:
                yield left.pop(int(rng.random() * len(left)))

    def character(name: str, gender: dict[str, str], **facts: str) -> Entity:
        home, _, near = facts["home"].partition("|")
        food, _, dish = facts["food"].partition("|")
        return Entity(
            name,
            **gender,
            home=home,
            near=near,
            food=food,
            dish=f"{dish} {food}",
            hobby=facts["hobby"],
            color=noun(facts["color"]),
        )

    homes, foods, hobbies, pets, colors = map(deal, (HOMES, FOODS, HOBBIES, PETS, COUNTABLE["color"]))
    girls, boys = [], []
    for names, gender, group in ((GIRLS, GIRL, girls), (BOYS, BOY, boys)):
        for name in names.split(", "):
            child = character(
                name, gender, home=next(homes), food=next(foods), hobby=next(hobbies), color=next(colors)
            )
            kind, _, pet = next(pets).partition(" ")
            child["pet"] = Entity(pet, kind=kind, a=noun(kind)["a"])
            group.append(child)
    dens, treats, games = map(deal, (DENS, TREATS, GAMES))
    animals = []
    for both in ANIMALS.split(", "):
        name, _, kind = both.partition(" the ")
        gender = {**(GIRL if name in SHE else BOY), "kind": kind, "a": noun(kind)["a"]}
        animals.append(
            character(name, gender, home=next(dens), food=next(treats), hobby=next(games), color=next(colors))
        )
    children = [child for pair in zip(girls, boys, strict=True) for child in pair]
    return {"girl": girls, "boy": boys, "child": children, "animal": animals}


# --- Things -----------------------------------------------------------------------------------------------

COUNTABLE = {
    "toy": "ball, doll, kite, drum, robot, puzzle, teddy bear, toy car, toy boat, yo-yo, train, rocket, whistle, "
    "puppet, toy plane, truck, jump rope, spinning top, marble, stuffed owl, toy horse, wagon, hoop, trumpet",
    "machine": "robot, toy car, train, toy boat, kite, truck, toy plane, drum, wagon, music box, scooter, toy castle",
    "gift": "hat, scarf, kite, bag, book, ball, umbrella, lamp, cup, blanket, sweater, cap, ribbon, balloon, notebook",
    "clothing": "hat, coat, scarf, sweater, shirt, towel, jacket, blanket, raincoat, dress, apron",
    "wrap": "scarf, coat, sweater, towel, blanket, jacket",
    "hat": "hat, scarf, cap, sweater, ribbon",
    "treasure": "coin, ring, key, button, pearl, crown, necklace, bell, feather, star, medal, mirror, shell, compass, "
    "bracelet, music box, whistle, watch",
    "junk": "sock, spoon, pencil, shoe, newspaper, spider, brush, button, leaf/leaves, crayon, stick, cup, comb, "
    "paper clip, bottle, rubber band, feather, towel",
    "fruit": "apple, pear, plum, peach, banana, orange, cherry, strawberry, fig, lemon, melon, apricot",
    "crunchy": "apple, carrot, pear, cookie, cracker, peach, nut, radish, pretzel",
    "snack": "cookie, muffin, cupcake, bun, pancake, sandwich, pretzel, roll, cracker, tart, biscuit, pie",
    "nut": "nut, acorn, berry, mushroom, seed, chestnut, plum, apple, turnip, walnut",
    "vegetable": "pumpkin, carrot, cabbage, turnip, potato/potatoes, radish, onion, beet, leek",
    "flower": "sunflower, rose, tulip, daisy, poppy, lily, violet, bluebell, marigold, daffodil",
    "stray": "kitten, puppy, rabbit, duckling, hedgehog, squirrel, goat, lamb, turtle, owl, piglet, mouse/mice",
    "thief": "squirrel, bird, mouse/mice, crow, monkey, raccoon, gull, goat, duck",
    "bird": "robin, sparrow, owl, crow, blackbird, dove, duck, swallow, finch, swan",
    "fish": "fish/fish, trout/trout, carp/carp, salmon/salmon, perch/perch",
    "tree": "apple tree, oak tree, pine tree, pear tree, cherry tree, willow tree, maple tree, elm tree",
    "trap": "rock, log, bush, bucket, fence, boat, basket, wheelbarrow, stump, bench",
    "fragile": "vase, lamp, cup, plate, bowl, mirror, jar, teapot, clock, flowerpot",
    "color": "red, blue, green, yellow, pink, purple, orange, white, brown, silver, gold, black, gray",
    "trait": "little, kind, happy, brave, curious, young, clever, cheerful, shy, gentle, funny, busy, small, quiet, "
    "friendly, smart, careful, playful, helpful, sweet, lively, dreamy, polite, honest, bold, merry, patient",
}
"""Things from common to rare, with articles; the colors and traits are here for their articles."""

PLAIN = {
    "nice": "sunny, bright, fine, beautiful, lovely, clear, quiet, windy, cool",
    "soft": "small, soft, funny, strange, tiny, faint, quiet, sad",
    "gently": "gently, carefully, softly, slowly, kindly, with care",
    "glad": "happy, very happy, glad, so happy, full of joy, delighted, very pleased, cheerful",
    "sad": "sad, very sad, upset, worried, unhappy, a little sad, disappointed",
    "shy": "shy, nervous, a little scared, very shy, afraid, too shy to speak",
    "box": "small, big, wooden, old, little, brown, heavy, round, paper, rusty",
    "tool": "glue, tape, string, a needle and thread, nails and a hammer, wire, paint and paper",
    "spot": "under the bed, behind the sofa, in the closet, in the kitchen, under the table, behind the door, in the "
    "hall, by the window, under the stairs, in the toy box, behind the curtain, in the attic, in the bathroom",
    "hiding": "behind the sofa, under the bed, in the closet, behind the curtain, under the table, behind the door, "
    "in the bathtub, under the stairs, in the shed, behind a big chair, in the attic, behind the oak tree",
    "shelf": "on the shelf, in the box, on the bed, in the basket, in the drawer, by the window, in the closet",
    "cooling": "on the table, by the window, on the shelf, on the counter, on a big plate",
    "outdoors": "under a tree, by the pond, on the hill, on the path, near the river, in the grass, by a rock, in the "
    "meadow, at the edge of the woods, next to a log, in the valley",
    "stray_name": "Lucky, Sunny, Button, Star, Cookie, Fluffy, Patch, Bean, Cloud, Acorn, Muffin, Jelly, Teddy, Dot",
}

PLACES = (
    "at the park, at the beach, in the garden, by the lake, in the forest, at the farm, on the hill, at the "
    "playground, in the meadow, at the zoo"
)
ADULTS = "mom Mom she, dad Dad he, grandma Grandma she, grandpa Grandpa he"
INDOORS = (
    "bake cookies|baked cookies, build a fort|built a fort, read a story|read a story, play a game|played a game, "
    "draw pictures|drew pictures, sing songs|sang songs, make paper boats|made paper boats, do a puzzle|did a puzzle, "
    "put on a play|put on a play, cook soup|cooked soup"
)
SKILLS = (
    "ride a bike|fell off, swim|swallowed some water, skate|fell down, jump rope|tripped over the rope, whistle|made "
    "no sound, do a handstand|fell over, catch a ball|dropped it, juggle|dropped all the balls, tie a bow|made a knot, "
    "row a boat|went in circles, do a cartwheel|landed on the grass, climb a rope|slid back down"
)


def _adult(text: str) -> Entity:
    name, call, he = text.split()
    return Entity(name, call=call, **(GIRL if he == "she" else BOY))


def _pair(text: str, second: str) -> Entity:
    first, _, other = text.partition("|")
    return Entity(first, **{second: other})


def words(seed: int = 0) -> dict[str, Any]:
    """Every list of things and characters by name; the seed deals the facts out to the characters."""
    place = [Entity(at.strip(), at=at.strip(), the=at.strip().partition(" ")[2]) for at in PLACES.split(",")]
    adults = [_adult(text.strip()) for text in ADULTS.split(",")]
    return {
        **{name: nouns(text) for name, text in COUNTABLE.items()},
        **{name: [Entity(word.strip()) for word in text.split(",")] for name, text in PLAIN.items()},
        **_numbers(),
        **_characters(seed),
        "coin": noun("coin"),
        "block": noun("block"),
        "place": place,
        "adult": adults,
        "elder": adults[2:],
        "indoors": [_pair(text.strip(), "did") for text in INDOORS.split(",")],
        "skill": [_pair(text.strip(), "fail") for text in SKILLS.split(",")],
    }
