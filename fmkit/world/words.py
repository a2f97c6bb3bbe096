"""The words of the story world: its things, its characters, and the facts about each of them.

Lists are written from the common to the rare, since the k-th thing of a list is drawn with weight 1/(k+8).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fmkit.world.dice import deal, dice, split
from fmkit.world.template import Entity

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
        Entity(name, was="was" if name == "one" else "were", this="this one" if name == "one" else "these")
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
    "Lily, Mia, Anna, Sue, Lucy, Emma, Ella, Zoe, Rose, Amy, Nora, Ruby, Ivy, Grace, Molly, Sara, "
    "Kate, Hana, Nina, Maya, Tess, Lila, June, Pia, Dora, Fern, Yuna, Ada, Meg, Bea"
)
BOYS = (
    "Tim, Ben, Max, Sam, Tom, Jack, Leo, Finn, Noah, Jake, Adam, Omar, Theo, Luke, Dan, Eli, Ravi, "
    "Toby, Ned, Kofi, Ivan, Carl, Ken, Arun, Ray, Will, Bo, Ali, Joe, Hal"
)
ANIMALS = (
    "Benny the rabbit, Rusty the fox, Pip the mouse, Bruno the bear, Hazel the squirrel, Dilly the "
    "duck, Daisy the lamb, Otto the otter, Bella the deer, Croak the frog, Momo the monkey, Penny the "
    "pig, Chip the beaver, Digger the mole, Shelly the turtle, Gus the goat, Honey the pony, Stripe "
    "the tiger, Poppy the panda, Fluff the sheep"
)
SHE = ("Hazel", "Dilly", "Daisy", "Bella", "Penny", "Shelly", "Honey", "Poppy", "Fluff", "Pip")
HOMES = (
    "by the sea|the sea, near the woods|the woods, on a farm|the barn, by the river|the river, on a "
    "hill|the hill, by the lake|the lake, in a village|the village well, next to the school|the "
    "school, above a bakery|the bakery, on a boat|the harbor, near the station|the station, by the old "
    "mill|the mill, in a valley|the valley, behind the church|the church"
)
DENS = (
    "in a hollow tree|the hollow tree, under a big rock|the big rock, by a stream|the stream, in a "
    "meadow|the meadow, in the forest|the forest, beside a pond|the pond, under an oak|the oak, on a "
    "hill|the hill, in a cave|the cave, by the river|the river, in a barn|the barn"
)
FOODS = (
    "pancakes|a plate of, soup|a bowl of, noodles|a bowl of, cheese|a plate of, popcorn|a bag of, "
    "rice|a bowl of, pudding|a bowl of, toast|a plate of, beans|a bowl of, pizza|a plate of, oatmeal|a "
    "bowl of, yogurt|a cup of, corn|a plate of, pasta|a plate of, jam|a jar of, fish|a plate of, "
    "salad|a bowl of, waffles|a plate of"
)
TREATS = (
    "honey|a jar of, clover|a bunch of, corn|a bag of, oats|a sack of, apples|a basket of, plums|a "
    "bowl of, bread|a loaf of, cherries|a bowl of, cheese|a plate of, pears|a basket of, hay|a bundle "
    "of, grapes|a bunch of"
)
HOBBIES = (
    "painting, singing, dancing, reading, climbing trees, drawing, swimming, telling jokes, building towers, "
    "playing the drum, picking flowers, jumping rope, riding bikes, doing puzzles, "
    "making up songs, baking, running fast"
)
GAMES = (
    "singing, dancing, digging, swimming, telling stories, rolling down hills, jumping, "
    "looking at the moon, playing tag, splashing in puddles, counting clouds"
)
PETS = (
    "dog Rover, cat Milo, rabbit Snowy, puppy Biscuit, kitten Mittens, hamster Nibbles, parrot Kiki, "
    "turtle Speedy, dog Rex, cat Whiskers, goat Pepper, duck Waddles, puppy Spot, kitten Ginger, "
    "rabbit Clover, dog Bingo, cat Socks, hamster Peanut, parrot Mango, turtle Pebble, duck Puddle, "
    "puppy Buddy, cat Shadow, dog Lucky"
)
GIRL = {"kind": "girl", "he": "she", "him": "her", "his": "her"}
BOY = {"kind": "boy", "he": "he", "him": "him", "his": "his"}


def _characters(seed: int) -> dict[str, list[Entity]]:
    """All named characters, with facts dealt out by the seed: another seed is another world."""
    rng = dice("facts", seed)

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

    def dealt(text: str) -> Iterator[str]:
        return deal(rng, split(text))

    homes, foods, hobbies, pets, colors = map(dealt, (HOMES, FOODS, HOBBIES, PETS, COUNTABLE["color"]))
    girls: list[Entity] = []
    boys: list[Entity] = []
    for names, gender, group in ((GIRLS, GIRL, girls), (BOYS, BOY, boys)):
        for name in names.split(", "):
            child = character(
                name, gender, home=next(homes), food=next(foods), hobby=next(hobbies), color=next(colors)
            )
            kind, _, pet = next(pets).partition(" ")
            child["pet"] = Entity(pet, kind=kind, a=noun(kind)["a"])
            group.append(child)
    dens, treats, games = map(dealt, (DENS, TREATS, GAMES))
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
    "toy": "ball, doll, kite, drum, robot, puzzle, teddy bear, car, boat, train, rocket, puppet, "
    "plane, truck, marble, toy horse, wagon, hoop, trumpet, yo-yo, castle, dragon, mask, tent, toy "
    "lion, ship, bus, jump rope, crayon, flag",
    "machine": "robot, car, train, boat, kite, truck, plane, drum, wagon, music box, scooter, castle, "
    "rocket, ship, bus",
    "gift": "hat, scarf, kite, bag, book, ball, lamp, cup, blanket, sweater, cap, ribbon, "
    "pillow, bowl, pen, basket, candle",
    "clothing": "hat, coat, scarf, sweater, shirt, towel, jacket, blanket, dress, apron, skirt, sock, cape",
    "wrap": "scarf, coat, sweater, towel, blanket, jacket, shirt, cloth, shawl",
    "hat": "hat, scarf, cap, sweater, ribbon, coat, mitten, belt",
    "treasure": "coin, ring, key, button, pearl, crown, bell, feather, star, medal, mirror, shell, "
    "music box, watch, map, cup, stone, spoon, book, lamp",
    "ribbon": "ribbon, bow, card, flower, note, sticker",
    "junk": "sock, spoon, pencil, shoe, brush, button, crayon, stick, cup, comb, "
    "bottle, feather, towel, fork, pin, nail, string, glove, sponge, cork, stamp",
    "fruit": "apple, pear, plum, peach, banana, orange, cherry, fig, lemon, melon, mango, grape, kiwi",
    "crunchy": "apple, carrot, pear, cookie, cracker, peach, nut, radish, pretzel, bun, sandwich",
    "snack": "cookie, muffin, cupcake, bun, sandwich, pretzel, roll, cracker, tart, pie, donut, scone, bagel",
    "nut": "nut, acorn, berry, mushroom, seed, chestnut, walnut, pea, olive, peanut, date, hazelnut",
    "vegetable": "pumpkin, carrot, cabbage, turnip, potato/potatoes, radish, onion, beet, leek, pepper",
    "flower": "sunflower, rose, tulip, daisy, poppy, lily, iris",
    "stray": "kitten, puppy, rabbit, duckling, squirrel, goat, lamb, turtle, owl, piglet, mouse/mice, "
    "parrot, hen, frog, fox cub",
    "young": "duckling, kitten, puppy, chick, lamb, piglet, bunny, fox cub, foal, calf/calves, fawn",
    "thief": "squirrel, bird, mouse/mice, crow, monkey, gull, goat, duck, goose, dog",
    "zoo": "lion, monkey, bear, zebra, parrot, snake, camel, tiger, seal, llama, hippo",
    "role": "pirate, dragon, clown, knight, giant, robot, ghost, farmer, doctor, monster, troll, cook, "
    "sailor, baker, teacher, pilot, wizard, singer",
    "bird": "robin, sparrow, owl, crow, dove, duck, swallow, finch, swan, lark, wren, stork",
    "fish": "fish/fish, trout/trout, carp/carp, salmon/salmon, perch/perch, eel, pike/pike, crab",
    "tree": "apple tree, oak tree, pine tree, pear tree, cherry tree, willow tree, maple tree, elm "
    "tree, plum tree, fig tree, birch tree",
    "landmark": "bridge, well, mill, fence, stump, gate, tower, sign, wall, bench, haystack, house, tent",
    "log": "log, plank, ladder, branch, door, pole, table, boat",
    "fragile": "vase, lamp, cup, plate, bowl, mirror, jar, teapot, clock, bottle, mug, jug, dish",
    "shape": "flower, star, heart, cloud, fish/fish, leaf/leaves, bubble, planet, button",
    "whom": "dragon, kite, boat, horse, star, castle, pirate, fish/fish, bird, train, robot, bear, "
    "rocket, flower, cat, cake, king, owl, drum, monkey, bell, clown",
    "color": "red, blue, green, yellow, pink, purple, orange, white, brown, silver, gold, black, gray",
    "look": "little, red, big, blue, old, green, shiny, yellow, new, small, purple, pretty, round, "
    "white, golden, pink, funny, orange, silver, tiny, brown, black, strange, lovely, gray, bright, "
    "plain, beautiful, fine, dusty",
    "trait": "kind, happy, brave, curious, clever, cheerful, shy, gentle, funny, busy, quiet, "
    "friendly, smart, careful, playful, helpful, sweet, lively, dreamy, polite, honest, bold, merry, "
    "patient, proud, lazy, noisy, sleepy, lucky, silly, strong, hungry, tidy, messy, wise",
    "box": "small, big, wooden, old, little, brown, heavy, round, paper, rusty, metal, pink",
    "odd": "old, dirty, red, wet, dusty, blue, green, lost, white, yellow, black, brown, sticky, pink, "
    "gray, big, little, strange, plain, purple",
    "tiny": "tiny, small, little, brown, round, yellow, funny, fat",
    "tall": "tall, old, big, crooked, dark, green, bare, great, little, thin, wide, lonely, huge",
    "cute": "brown, gray, white, black, hungry, little, fat, clever, brave, cheeky, funny, young, "
    "spotted, shy, quick, noisy, tiny, fluffy, cold, sleepy",
    "soft": "small, soft, funny, strange, tiny, faint, quiet, sad, low, high, odd",
    "huge": "huge, giant, very big, great big, fat",
}
"""Things from common to rare, with articles; the colors and traits are here for their articles."""

PLAIN = {
    "nice": "sunny, bright, fine, beautiful, lovely, clear, quiet, windy, cool, busy, cloudy",
    "sweet": "warm, sweet, fresh, big, little, tasty, round, soft, golden, hot, cold, brown, fine, "
    "honey, good",
    "warm": "big, warm, long, gentle, tight, happy, quick",
    "gently": "gently, carefully, softly, slowly, kindly, with care, quickly",
    "loudly": "loudly, proudly, clearly, bravely, again and again, with a big smile",
    "fast": "fast, like the wind, very fast, far ahead, up the hill, quickly",
    "glad": "happy, very happy, glad, so happy, excited, merry",
    "sad": "sad, very sad, upset, worried, a little sad",
    "shy": "shy, nervous, a little scared, very shy, afraid, worried",
    "amazed": "amazed, surprised, very surprised, sorry for it, scared, curious, puzzled",
    "funny": "funny, big, silly, pretty, clever, cute, strange, strong, gentle, noisy",
    "tasty": "delicious, very good, tasty, the best they had ever had, hot and sweet, enough for a "
    "week, wonderful",
    "jumped": "jumped, came, crawled, climbed, hopped, rolled, ran",
    "tool": "glue, tape, string, wire, paint, nails, a hammer, some wood, cloth, wax",
    "game": "tag, catch, chess, pirates, cards, school, soccer, marbles, store, ball, music",
    "until": "dinner, dark, bedtime, sunset, evening, it was late, the moon came up, it rained, they "
    "were tired, the sun went down, it got cold",
    "what": "tiny, flying, golden, talking, red, happy, dancing, giant, blue, singing, friendly, "
    "silver, green, sleepy, funny, purple",
    "spot": "under the bed, behind the sofa, in the closet, in the kitchen, under the table, behind "
    "the door, in the hall, by the window, under the stairs, in the toy box, behind the curtain, in "
    "the attic, in the shed, under the chair, behind the stove, in the cellar",
    "hiding": "behind the sofa, under the bed, in the closet, behind the curtain, under the table, "
    "behind the door, under the stairs, in the shed, behind a big chair, in the attic, behind the oak "
    "tree, in the cellar, under a blanket, behind the stove",
    "shelf": "on the shelf, in the box, on the bed, in the basket, in the drawer, by the window, in "
    "the closet, on the desk, under the bed, on the chair",
    "outside": "in the garden, at the park, on the hill, in the street, by the gate, by the barn",
    "outdoors": "under a tree, by the pond, on the hill, on the path, near the river, in the grass, by "
    "a rock, in the meadow, in the woods, next to a log, in the valley, in the field, near a cave",
    "trap": "under a log, behind a rock, in a bush, under a fence, in the mud, behind a barrel, under "
    "a bench, in a ditch, between two stones, in the tall grass, behind a stump, in a hole, under a "
    "bridge, by a wall",
    "stray_name": "Lucky, Sunny, Button, Star, Cookie, Fluffy, Patch, Bean, Cloud, Acorn, Muffin, "
    "Jelly, Teddy, Dot, Pickle, Noodle, Berry, Sparky",
}

PLACES = (
    "at the park, at the beach, in the garden, by the lake, in the forest, at the farm, on the hill, at the "
    "playground, in the meadow, by the river, in the yard, near the pond, by the old oak, at the harbor"
)
ADULTS = (
    "mom Mom she, dad Dad he, grandma Grandma she, grandpa Grandpa he, aunt Aunt_May she, uncle Uncle_Bob he"
)
INDOORS = (
    "build a fort|built a fort, read a story|read a story, play a game|played a game, draw "
    "pictures|drew pictures, sing songs|sang songs, make paper boats|made paper boats, do a puzzle|did "
    "a puzzle, put on a play|put on a play, cook soup|cooked soup, dance|danced, paint|painted, tell "
    "jokes|told jokes"
)
SKILLS = (
    "ride a bike|fell off, swim|swallowed some water, skate|fell down, jump rope|tripped over the "
    "rope, whistle|made no sound, do a handstand|fell over, catch a ball|dropped it, juggle|dropped "
    "all the balls, tie a bow|made a knot, row a boat|went in circles, do a cartwheel|landed on the "
    "grass, climb a rope|slid back down"
)


def _adult(text: str) -> Entity:
    name, call, he = text.split()
    return Entity(name, call=call.replace("_", " "), **(GIRL if he == "she" else BOY))


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
