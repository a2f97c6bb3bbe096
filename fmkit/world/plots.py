"""The plots of the story world: templates in the language that `fmkit.world.stories` explains.

A story is an opening, which introduces the hero, a time of day, and a plot. Every plot goes on after
"One day, ". In a plot `hero` is the main character, `friend` another one, `adult` a grown-up of the hero's.
"""

from __future__ import annotations

__all__ = ["ANIMAL_PLOTS", "CHILD_PLOTS", "RULES"]

RULES = {
    "start": (
        "[{child_opening} {day}, {plot=child_plots:text}|{animal_opening} {day}, {plot=animal_plots:text}]"
    ),
    "child_opening": (
        "[Once upon a time, there was {trait=trait:a} {new_child}.[| {fact}]|Once upon a time, "
        "{trait=trait:a} {new_child} lived {hero.home}.[| {taste}]|{name} was {trait=trait:a} {hero.kind} "
        "who lived {hero.home}.[| {taste}]|{name} lived {hero.home}. {taste}|{name} was {trait=trait:a} "
        "{hero.kind} who loved {hero.hobby}.]"
    ),
    "animal_opening": (
        "[Once upon a time, there was {trait=trait:a} {hero=animal:kind} named {hero}.[| {deed}]|Once upon "
        "a time, {trait=trait:a} {hero=animal:kind} named {hero} lived {hero.home}.[| "
        "{treat}]|{hero=animal} was {trait=trait:a} {hero.kind} who lived {hero.home}.[| "
        "{treat}]|{hero=animal} the {hero.kind} lived {hero.home}. {treat}]"
    ),
    "new_child": "[|little |young ][=girl named {hero=girl}|boy named {hero=boy}]",
    "name": "[={hero=girl}|{hero=boy}]",
    "stranger": "[=a girl named {friend=girl}|a boy named {friend=boy}]",
    "fact": "[{hero.He} lived {hero.home}.|{taste}]",
    "taste": (
        "[{hero.He} [loved|liked] {hero.hobby}.|{hero.His} favorite food was {hero.food}.|{hero.He} had "
        "{hero.pet.a} named {hero.pet}.|{hero.His} favorite color was {hero.color}.|{hero.He} "
        "[loved|liked] to eat {hero.food}.]"
    ),
    "deed": "[{hero.He} lived {hero.home}.|{treat}]",
    "treat": (
        "[{hero.He} [loved|liked] {hero.hobby}.|{hero.His} favorite food was {hero.food}.|{hero.He} "
        "[loved|liked] to eat {hero.food}.]"
    ),
    "day": (
        "[One day|One {nice=nice} [=morning|afternoon|day]|One "
        "[=morning|afternoon|Monday|Tuesday|Wednesday|Thursday|Friday]|On a {nice=nice} [=day|morning]]"
    ),
    "together": (
        "They [played {game=game}|sang songs|told stories|danced|talked and laughed|drew pictures|ate "
        "{sweet=sweet} {snack=snack:many}|looked for {nut=nut:many}] until {until=until}."
    ),
    "coda": "[| That night, {hero} dreamed of {what=what} {whom=whom:many}.]",
    "said": "[said|called|whispered|cried]",
    "felt": "[was|felt|looked|seemed]",
    "then": "[Then|Soon|Just then,|After a while,|A little later,]",
    "thanks": (
        "[Thank you|Thanks|Thank you so much|You are so kind|How kind of you|Oh, thank you|That is so nice "
        "of you]"
    ),
    "sorry": (
        "[I am sorry|I am so sorry|Oh no, I am sorry|Oops, sorry|I did not mean to do that|Please forgive me]"
    ),
    "never_mind": (
        "[That is all right|It is okay|Never mind|Do not worry|Do not be sad|These things happen]"
    ),
    "praise": (
        "[Well done|Good job|I am proud of you|How wonderful|You did it|What a nice surprise|That is lovely]"
    ),
    "hugged": (
        "[hugged {hero.him}|smiled at {hero.him}|held {hero.his} hand|kissed {hero.his} cheek|patted "
        "{hero.his} back]"
    ),
    "sighed": "[said|sighed|whispered|sobbed]",
    "cheered": "[said|called|cheered|laughed]",
    "cheer_up": "[Do not be sad|Do not worry|Cheer up|Do not cry|Come with me|Look what I have]",
}

CHILD_PLOTS = {
    "lost toy": (
        "{hero} could not find {hero.his} {look=look} {toy=toy}. {hero.He} looked {spot=spot} and "
        "{second=spot}, but found only {odd=odd:a} {junk=junk} and {also=odd:a} {more=junk}. {then} "
        "{hero.he} heard {soft=soft:a} [sound|noise] {third=spot}. It was {hero.pet} the {hero.pet.kind}, "
        "[playing with|sleeping next to|sitting on|sniffing at|guarding] the {toy}! {hero} "
        "[laughed|giggled|smiled|cheered] and gave {hero.pet} [a {warm=warm} hug|{snack=snack:a}|a "
        "kiss].{coda}"
    ),
    "kite in a tree": (
        "{hero} flew {hero.his} {look=look} kite {place=place:at}. The wind blew it into {tall=tall:a} "
        "{tree=tree}. {hero} [shouted|jumped|pulled and pulled|threw {odd=odd:a} {junk=junk} at it], but "
        "it [stayed there|did not move|would not come down]. {then} {friend=child} came with [a ladder|a "
        'long stick|a rope|a broom|{friend.his} {adult=adult}] and got it down. "{thanks}," {said} {hero}. '
        "{together}{coda}"
    ),
    "sharing": (
        "{hero} [picked|found|bought|had] {n=number} {fruit=fruit:many}. {hero.He} met {friend=child} "
        '{place=place:at}. "I [lost|forgot|dropped] my {snack=snack}," {sighed} {friend}, who {felt} '
        "{sad=sad}. So {hero} gave {friend.him} {part=n.parts:gone} {fruit(part.gone)} and had {part.left} "
        '{fruit(part.left)} left. "{thanks}," {said} {friend}, and gave {hero} {look=look:a} '
        "{treasure=treasure}.{coda}"
    ),
    "coins": (
        "{hero} [went|walked|ran] to the [market|toy shop|fair|store] with {n=number} coins. {hero.He} "
        "bought {look=look:a} {toy=toy} for {part=n.parts:gone} {coin(part.gone)} and had {part.left} "
        "{coin(part.left)} left. On the way home, {hero.he} saw {friend=child}, who {felt} {sad=sad}. "
        '"{cheer_up}," {said} {hero}, and [let {friend.him} play with the {toy}|bought {friend.him} '
        "{snack=snack:a}|gave {friend.him} the {toy}]. {together}{coda}"
    ),
    "counting": (
        "{hero} saw {n=number} {cute=cute} {young=young:many} {place=place:at}. [Later|Soon|After lunch], "
        "{hero} counted again. There were only {n.less}! {hero.He} heard {soft=soft:a} cry. One {young} "
        "was stuck {trap=trap}. {hero} [lifted|pulled] it out {gently=gently} and [carried it back|gave it "
        'some {nut=nut:many}|wrapped it in {wrap=wrap:a}]. "[Now there are|I see|I count] {n} again," '
        "{said} {hero}. {hero.His} {adult=adult} {hugged}.{coda}"
    ),
    "tower": (
        "{hero} built a tower of {n=number} {look=look} blocks. {friend=child} [ran|danced|hopped|marched] "
        "by, and {part=n.parts:gone} {block(part.gone)} fell down. Only {part.left} {part.left.was} left. "
        '"{sorry}," {sighed} {friend}. {hero} {felt} {sad=sad}, but not for long. "{never_mind}," '
        "{hero.he} said. Soon the tower had {n} blocks again, with {odd=odd:a} {junk=junk} and "
        "{also=odd:a} {more=junk} on top. {together}"
    ),
    "seed": (
        "{hero.his} {adult=adult} gave {hero} {look=tiny:a} seed. {hero.He} planted it [next to the "
        "{vegetable=vegetable:many}|in {bowl=fragile:a}|in the garden] and watered it every "
        '[day|morning|evening]. "[Will it ever grow|Is it asleep|When will it come up]?" asked {hero}. '
        '"[Be patient|Just wait|Give it time]," {said} {adult.call}. After {m=few} weeks, there was a '
        "[tall|big|lovely|fine] {flower=flower}. {hero} {felt} {glad=glad} and showed it to "
        "{friend=child}.{coda}"
    ),
    "rainy day": (
        "{hero} wanted to play {game=game} {place=place:at} with {friend=child}, but it began to rain. "
        '"Let us {indoors=indoors}," said {hero.his} {adult=adult}. So they {indoors.did} and ate '
        "{sweet=sweet} {snack=snack:many}. {hero.pet} the {hero.pet.kind} [watched|slept|played with "
        '{odd=odd:a} {junk=junk}]. {then} there was a [big|bright|beautiful] rainbow over {hero.near}. "[I '
        'like rain now|What a good day|Look at that]!" {said} {hero}.{coda}'
    ),
    "stray": (
        "{hero} heard {soft=soft:a} [cry|sound] near {hero.near}. It was {cute=cute:a} {stray=stray}, all "
        "alone. {hero} wrapped it in {hue=look:a} {wrap=wrap} and [carried|took] it home. {hero.His} "
        "{adult=adult} gave it some [water|bread|{vegetable=vegetable:many}|{fruit=fruit:many}]. "
        '"[Can|May] we keep it?" asked {hero}. "[Yes|Of course|All right]," said {adult.call}. They named '
        "it {stray_name=stray_name}, and it slept {spot=spot}.{coda}"
    ),
    "the truth": (
        "{hero} was [playing {game=game}|dancing|jumping|running] in the house and broke {look=look:a} "
        "{fragile=fragile}. {hero.He} {felt} {sad=sad} and hid {spot=spot}. But soon {hero.he} told "
        '{hero.his} {adult=adult} the truth. "{sorry}," {hero.he} {sighed}. {adult.call} {hugged}. "[Thank '
        'you for telling me|I am glad you told me|You are brave]," {adult.he} said. They fixed the '
        "{fragile} with [glue|tape|wire|paste] and ate {sweet=sweet} {snack=snack:many}.{coda}"
    ),
    "noise at night": (
        "{hero} [cleaned the house|picked {fruit=fruit:many}|baked {sweet=sweet} {snack=snack:many}] with "
        '{hero.his} {adult=adult}. In the evening, there was {soft=soft:a} noise {spot=spot}. "Is it [=a '
        'ghost|a monster|a dragon|a giant]?" asked {hero}. {adult.call} [came with a lamp|came to '
        "look|went to see]. It was only {hero.pet} the {hero.pet.kind}, playing with {odd=odd:a} "
        "{junk=junk} and {also=odd:a} {more=junk}! {hero} [laughed|felt better|was {glad=glad}] and gave "
        "{hero.pet} [a {warm=warm} hug|a kiss|some water].{coda}"
    ),
    "birthday": (
        "it was {friend=child}'s birthday. {friend}'s favorite color was {friend.color}, so {hero} "
        "[made|bought|found] {friend.color.a} {gift=gift}. {hero.He} put it in {box=box:a} box with "
        '{junk=ribbon:a}. "[Wow|Oh|Look]! {friend.color.Name} is my favorite color," {said} {friend}. '
        '"{thanks}." They ate {sweet=sweet} {snack=snack:many}, {fruit=fruit:many}, and {friend.food}. '
        "Then they played {game=game} until {until=until}."
    ),
    "learning": (
        '{hero} wanted to {skill=skill}, but {hero.he} {skill.fail}. "[I cannot do it|I will never '
        'learn|It is too hard]," {sighed} {hero}. "[Keep trying|Try once more|Do not give up]," said '
        "{hero.his} {adult=adult}. {hero} tried [every day|every morning|again and again] for {m=few} "
        'weeks. [At last|Then, one {nice=nice} day], {hero.he} could {skill}! "{praise}," {cheered} '
        "{adult.call}, and gave {hero.him} {look=look:a} {treasure=treasure} and {snack=snack:a}.{coda}"
    ),
    "treasure": (
        "{hero} and {friend=child} found an old map {spot=spot}. It showed a cross under {tall=tall:a} "
        "{tree=tree} {place=place:at}. They [dug and dug|began to dig|dug a deep hole] and found "
        "{box=box:a} box. Inside were {look=look:a} {treasure=treasure}, {second=treasure:a}, and "
        '{third=treasure:a}. "[We are rich|What a treasure|Let us share]!" {said} {friend}. {hero} '
        "[took|kept|chose] the {treasure}, and {friend} [took|kept|chose] the {second}."
    ),
    "picnic": (
        "{hero} and {friend=child} had a picnic {place=place:at}. They had {sweet=sweet} "
        "{snack=snack:many}, {fruit=fruit:many}, and {friend.food}. [Suddenly|Just then|Then], "
        '{cute=cute:a} {thief=thief} [came by|came up] and took {one=snack:a}. "[Stop|Hey|Come back]!" '
        '[cried|shouted|called] {hero}. But {friend} [laughed|smiled]. "It is hungry, too," {friend.he} '
        "{said}. So they gave the {thief} some {fruit.many} and [named it {stray_name=stray_name}|watched "
        "it eat]."
    ),
    "snowman": (
        "{hero} and {friend=child} made a [big|round|funny|fat] snowman {place=outside}. It had "
        "{look=odd:a} {nose=vegetable} for a nose, {eyes=nut:many} for eyes, and {odd=odd:a} {hand=junk} "
        'in its hand. "[He looks|He must be] cold," {said} {friend}. So {hero} gave it {hero.his} '
        "{hero.color} {hat=hat}. {m=few:Name} days later, the sun came out, and only the {hat} [was "
        "left|lay on the grass].{coda}"
    ),
    "wish": (
        "{hero} [worked|played|read|painted] until it was dark. {then} {hero.he} saw a "
        "[bright|falling|golden|lovely] star and wished for {look=look:a} {toy=toy}. But in the morning, "
        "{hero.he} found only {odd=odd:a} {junk=junk} {spot=spot}. {hero} was {sad=sad}. {then} "
        '{friend=child} came with {box=box:a} box. "[This is for you|I made this for you|Open it]," '
        '{friend.he} said. Inside was {look.a} {toy}! "[My wish came true|It is just what I wanted|You are '
        'a real friend]!" {said} {hero}.'
    ),
    "new school": (
        "{hero} went to a new school. {hero.He} {felt} {shy=shy} and sat alone with {odd=odd:a} "
        '{junk=junk}. Then {stranger} gave {hero.him} {snack=snack:a}. "I like {friend.hobby}," said '
        '{friend}. "What do you like?" "I like {hero.hobby}," {said} {hero}. After school, they [went '
        "to|ran to|met at] {place=place:the}. {together}{coda}"
    ),
    "letter": (
        '{hero} wrote a letter to {hero.his} {elder=elder}. "Dear {elder.call}, [I miss you|please visit '
        'us|I think of you every day]," it said. {hero} drew {look=look:a} '
        "[house|heart|flower|{stray=stray}|{toy=toy}] on it. {m=few:Name} days later, {elder.call} came "
        'with {sweet=sweet} {snack=snack:many}, {fruit=fruit:many}, and {hue=look:a} {gift=gift}! "[I '
        'missed you, too|Your letter made me smile|Here I am]," {elder.he} said. {hero} {felt} '
        "{glad=glad}.{coda}"
    ),
    "swap": (
        '{hero} had {look=look:a} {toy=toy}, and {friend=child} had {hue=look:a} {other=toy}. "[May|Can] I '
        'play with your {other}?" asked {hero}. "[Yes, if|Only if] I [can|may] play with your {toy}," '
        "{said} {friend}. So {hero} [got|took|tried] the {hue} {other}, and {friend} [got|took|tried] the "
        "{look} {toy}. They played {place=place:at} until {until=until}. Then they ate {sweet=sweet} "
        "{snack=snack:many}."
    ),
    "broken toy": (
        "{friend=child} came to play {game=game}. {friend.He} [dropped|stepped on|fell on|sat on] {hero}'s "
        '{look=look} {toy=machine}, and it broke. "{sorry}," {sighed} {friend}. {hero} {felt} {sad=sad}, '
        'but {hero.he} took a deep breath. "{never_mind}," {hero.he} {said}. They [fixed|mended] it with '
        "{tool=tool} and {odd=odd:a} {junk=junk}. Now the {toy} looked [funny|even better|as good as new]. "
        "{together}"
    ),
    "hide-and-seek": (
        '{hero} played a hiding game with {friend=child}. {hero} counted to [ten|twenty|fifty]. "[Ready or '
        'not, here I come!|I am coming!|Where are you?]" {hero.he} [called|shouted]. {hero.He} looked '
        "{spot=hiding} and found {odd=odd:a} {junk=junk}. {hero.He} looked {second=hiding} and found "
        '{also=odd:a} {more=junk}. {then} {hero.he} heard {soft=soft:a} [laugh|giggle] {third=hiding}. "[I '
        'found you|There you are|I see you]!" {said} {hero}. {friend} {jumped=jumped} out.'
    ),
    "talking fish": (
        '{hero} and {hero.his} {elder=elder} caught {look=look:a} {fish=fish}. "Please let me go," it '
        "[said|cried|begged]. {hero} {felt} {amazed=amazed} and put it back {gently=gently}. {then} the "
        "{fish} came back with {hue=look:a} {treasure=treasure}, {second=treasure:a}, and {odd=odd:a} "
        '{junk=junk}. {hero} gave the {treasure} to {elder.call} and kept the {second}. "[What a fish|You '
        'were kind|What luck]," {cheered} {elder.call}.'
    ),
    "paw prints": (
        "{hero} painted a picture of {cute=cute:a} {subject=stray} and {brave=trait:a} {second=role}. But "
        "{hero.pet} the {hero.pet.kind} [walked|ran|jumped] through the {color=color} paint and over the "
        "picture. {hero} {felt} {sad=sad}. {then} {hero.he} saw {shape=shape:many} and {more=shape:many} "
        'in the {color} spots! {hero.He} gave the picture to {hero.his} {adult=adult}. "{praise}," '
        "{cheered} {adult.call}, and {hugged}."
    ),
    "sick friend": (
        "{friend=child} was sick and could not play {game=game}. {friend} loved {friend.food}, so {hero} "
        "made {friend.dish} with {hero.his} {adult=adult}. They took it to {friend}, who lived "
        '{friend.home}, with {look=look:a} {gift=gift} and some {fruit=fruit:many}. "{thanks}," {said} '
        "{friend}. {hero} told {friend.him} a story about {cute=cute:a} {stray=stray} and {brave=trait:a} "
        "{role=role}."
    ),
    "loose tooth": (
        "{hero} had a loose tooth. {hero.He} bit into {crunchy=crunchy:a}, and [out it came|it fell out]! "
        "{hero} put the tooth under {hero.his} pillow, [in a cup|in a box|in a little bag|in a sock|on a "
        "plate]. In the morning, {hero.he} found {n=number} coins. {hero.He} gave {part=n.parts:gone} "
        "{coin(part.gone)} to {friend=child} and kept {part.left}. {friend} bought {snack=snack:a}, and "
        "{hero} bought {look=look:a} {toy=toy}.{coda}"
    ),
    "messy room": (
        "{hero}'s room was a [big|terrible|real] mess. {hero} put the {look=look} {toy=toy} {shelf=shelf} "
        "and the {hue=look} {other=toy} {second=shelf}. Under {clothing=clothing:a}, {hero.he} found "
        '{odd=odd:a} {junk=junk} and {treasure=treasure:a}. "[I thought I had lost this|I looked for this '
        'all week|So here it is]!" {hero.he} said. "{praise}," {cheered} {hero.his} {adult=adult}, and '
        "gave {hero.him} {snack=snack:a}.{coda}"
    ),
    "hurt bird": (
        "{hero} found {cute=cute:a} {bird=bird} {trap=trap}. Its wing was hurt. {hero} put it in "
        "{box=box:a} box with {look=look:a} {wrap=wrap} and gave it [seeds|water|crumbs|some "
        '{fruit=fruit:many}]. "[Do not be afraid|Rest now|You are safe here]," {hero.he} said '
        "[softly|gently|kindly|quietly]. After {m=few} [days|weeks], the {bird} flew up into {tall=tall:a} "
        "{tree=tree}. The next [day|morning|spring], it came back and [sang a song|brought {hero.him} "
        "{treasure=treasure:a}|sat on {hero.his} hand]."
    ),
    "crumbs": (
        "{hero} and {hero.his} {adult=adult} made {n=number} {sweet=sweet} {snack=snack:many} with "
        "{fruit=fruit:many}. Then they played {game=game} until {until=until}. When they came back, "
        "{part=n.parts:gone} {snack(part.gone)} {part.gone.was} gone! {then} {hero} saw {hero.pet} the "
        '{hero.pet.kind} {spot=spot}, with crumbs all over {look=look:a} {clothing=clothing}. "Now we have '
        'only {part.left}," {adult.call} [said|laughed|sighed].{coda}'
    ),
    "shopping": (
        "{hero} went to the [market|store|corner shop] for {hero.his} {adult=adult}. {hero.He} had to buy "
        "{item=fruit:many}, {sweet=sweet} {second=snack:many}, and {look=look:a} {third=gift}. On the way, "
        '{hero.he} played {game=game} with {friend=child} and forgot everything! "[Think hard|Close your '
        'eyes|Take your time]," {said} {friend}. [Then|At last], {hero} remembered: {item.many}, {sweet} '
        '{second.many}, and {look.a} {third}. "[Well done|Good job|You did it|Thank you]," {cheered} '
        "{adult.call}."
    ),
    "the play": (
        "{hero}'s school put on a play {place=place:at}. {hero} was {role=role:a}, {friend=child} was "
        "{second=role:a}, and {third=child} was {last=role:a}. {hero} wore {look=look:a} "
        "{clothing=clothing} and held {prop=treasure:a}. But {hero.he} {felt} {shy=shy} and forgot what to "
        'say. "[I am|Here comes] the {role}," {friend} whispered. Then {hero} [shouted|said] it '
        "{loudly=loudly}, and everyone [clapped|cheered|laughed]."
    ),
    "zoo": (
        "{hero} went to the zoo with {hero.his} {adult=adult} and {friend=child}. They saw {cute=cute:a} "
        "{first=zoo}, {also=cute:a} {second=zoo}, and {last=cute:a} {third=zoo}. The {first} "
        "[ate|stole|played with] {friend}'s {snack=snack}. The {third} [ate|stole|played with] {hero}'s "
        '{hero.color} {hat=hat}. "[Which animal did you like best|What was your favorite animal]?" asked '
        '{adult.call}. "[The {first}|The {second}|The {third}]," {said} {hero}. "It was so {funny=funny}."'
    ),
}

ANIMAL_PLOTS = {
    "sharing nuts": (
        "{hero} found {n=number} {nut=nut:many} {trap=trap}. On the way home, {hero.he} met "
        '{friend=animal} the {friend.kind}, who was {sad=sad}. "I [have no food|am so hungry|lost my '
        '{lost=vegetable:many}]," {sighed} {friend}. So {hero} gave {friend.him} {part=n.parts:gone} '
        '{nut(part.gone)} and kept {part.left}. "{thanks}," {said} {friend}. {m=few:Name} days later, '
        "{friend} gave {hero} {friend.dish} and {look=look:a} {treasure=treasure}.{coda}"
    ),
    "race": (
        "{hero} and {friend=animal} the {friend.kind} had a race from {hero.near} to the {tall=tall} "
        '{goal=tree}. "[I am faster than you|I will win|You will never win]," {said} {friend}. {friend} '
        "ran {fast=fast}, but then {friend.he} stopped to [sleep|rest|eat some {nut=nut:many}|look at "
        '{cute=cute:a} {bird=bird}]. {hero} went on and won! "[You never gave up|Well done|You are fast, '
        'too]," {said} {friend}, and gave {hero.him} {look=look:a} {treasure=treasure}. {together}{coda}'
    ),
    "deep hole": (
        "{hero} heard {soft=soft:a} cry. {friend=animal} the {friend.kind} was in a deep hole! {hero} "
        "threw down {look=look:a} {rope=clothing} and {odd=odd:a} {junk=junk}, but {friend} could not "
        "climb out. So {hero} called {third=animal} the {third.kind}, and they pulled {friend} out "
        '{gently=gently}. "{thanks}," {said} {friend}, and gave them {sweet=sweet} {nut=nut:many}. '
        "{together}{coda}"
    ),
    "storm": (
        "{hero} saw [dark|black|gray|big] clouds, and soon a storm came. {friend=animal} the {friend.kind} "
        'came to {hero}\'s door, [wet|cold|tired|very wet] and {sad=sad}. "[May I|Can I] come in?" '
        '{friend.he} asked. "[Of course|Yes|Come in]," said {hero}. {then} {third=animal} the {third.kind} '
        "came, too. Now there were three of them. They ate {hero.food} and {sweet=sweet} {nut=nut:many}. "
        "{hero} told them about {brave=trait:a} {stray=role}. {together}"
    ),
    "huge vegetable": (
        "{hero} found {huge=huge:a} {vegetable=vegetable} {place=outdoors}. {hero.He} pulled, but it would "
        "not come out. {friend=animal} the {friend.kind} came and pulled, too. It [did not move|stayed "
        "there|was stuck]. {then} {third=animal} the {third.kind} [came to help|came with {odd=odd:a} "
        "{junk=junk}|ran up], and [pop|plop|at last], out it came! They made {vegetable} [soup|stew|pie] "
        "with {nut=nut:many} and {second=vegetable:many}. It was {tasty=tasty}.{coda}"
    ),
    "way home": (
        "{hero} [walked too far|ran after {cute=cute:a} {bird=bird}|took the wrong path|fell asleep on a "
        "raft] and got lost. {hero.He} {felt} {sad=sad}. {friend=animal} the {friend.kind} [came by|saw "
        '{hero.him}|stopped]. "Where do you live?" asked {friend}. "I live {hero.home}," {said} {hero}. '
        '"[I know the way|Follow me|That is not far]," {said} {friend}. They walked past {tall=tall:a} '
        "{tree=tree}, {look=tall:a} {mark=landmark}, and {hue=tall:a} {second=landmark}. Then {hero} saw "
        "{hero.near} and was {glad=glad}. {hero.He} gave {friend} {hero.dish}."
    ),
    "all mine": (
        '{hero} found {look=look:a} {treasure=treasure} {place=outdoors}. "[May|Can] I hold it?" asked '
        '{friend=animal} the {friend.kind}. "No, it is mine!" [said|cried|called|shouted] {hero}. So '
        "{friend} went away to play {game=game} with {third=animal}. {hero} was {sad=sad} and "
        '[lonely|bored|all alone]. {hero.He} ran to {friend}. "{sorry}," {hero.he} {sighed}. "[You can '
        'hold it, too|You can have a turn|We can share it]." {together}{coda}'
    ),
    "shadow": (
        "{hero} saw a [big|dark|long|scary] shape {place=outdoors}. It looked like [=a dragon|a giant|a "
        "ghost|a monster|a witch|a troll|a robot|an ogre]. {hero} ran to {friend=animal} the {friend.kind} "
        'and hid {trap=trap}. "[Lift one arm|Wave your hand|Jump up and down|Turn around]," {said} '
        "{friend}. {hero} did, and the shape did it, too. It was only {hero.his} own shadow! {hero} {felt} "
        "{glad=glad}. They made shadows of {cute=cute:a} {first=zoo} and {also=cute:a} {second=zoo} until "
        "{until=until}.{coda}"
    ),
    "winter": (
        "{hero} gathered {n=number} {nut=nut:many} for the winter. But {hero.his} {look=look} "
        "[bag|basket|sack] had a hole, and {part=n.parts:gone} {nut(part.gone)} fell out {place=outdoors}. "
        "At home, {hero.he} counted only {part.left}. {hero} {felt} {sad=sad}. Then {friend=animal} the "
        '{friend.kind} came. "[You lost|You dropped|I found] {part.gone.this}," {friend.he} {said}. So '
        '{hero} had {n} {nut(n)} again. "{thanks}," {hero.he} {said}. {together}'
    ),
    "bridge": (
        'the {look=odd} bridge broke. {friend=animal} the {friend.kind} {felt} {sad=sad}. "I cannot get '
        'home. I live {friend.home}," {sighed} {friend}. {hero} and {third=animal} the {third.kind} pushed '
        '{odd=tall:a} {log=log} over the water. "[Walk slowly|Hold on tight|Do not look down]," {said} '
        '{hero}. {friend} walked over {gently=gently}. "{thanks}," {friend.he} {said}, and gave them '
        "{sweet=sweet} {nut=nut:many}. {together}"
    ),
    "contest": (
        "there was a [singing|dancing|story|music|drum] contest {place=outdoors}. {hero} {felt} {shy=shy}. "
        '"Just think of {hero.food}," said {friend=animal} the {friend.kind}. "[Then you will smile|Then '
        'you will feel brave|That always helps]." {hero} closed {hero.his} eyes, thought of {hero.food}, '
        "and began. [Everyone|{third=animal} the {third.kind}] [clapped|cheered]. {hero} won {look=look:a} "
        "{treasure=treasure} and {sweet=sweet} {nut=nut:many}. {together}{coda}"
    ),
    "bee": (
        "{hero} saw {look=tiny:a} bee in [a spider web|a puddle|{jar=fragile:a}] and helped it out with "
        '{odd=odd:a} {junk=junk}. "{thanks}," said the bee. {m=few:Name} days later, {hero} could not find '
        "any {hero.food}. {hero.He} {felt} {sad=sad}. Then the bee led {hero.him} past {tall=tall:a} "
        "{tree=tree} to {hero.food}, {nut=nut:many}, and {vegetable=vegetable:many}!{coda}"
    ),
    "moon in the pond": (
        "{hero} and {friend=animal} the {friend.kind} played {game=game} until dark. {hero} saw the moon "
        'in the [pond|lake|river|well]. "[The moon fell in|The moon is wet|Poor moon]!" {hero.he} '
        "[cried|shouted|said]. {hero.He} tried to pull it out with {odd=odd:a} {net=junk} and "
        '{look=look:a} {second=clothing}, but it [broke into pieces|slipped away|got away]. "Look up," '
        "said {friend}. There it was, high over {tall=tall:a} {tree=tree}. {hero} {felt} {glad=glad}.{coda}"
    ),
    "boat": (
        "{hero} made a boat out of {hull=fragile:a}, {mast=junk:a}, and {sail=wrap:a}. {friend=animal} the "
        "{friend.kind} wanted to come, too. They sailed past {tall=tall:a} {tree=tree}, "
        '{first=landmark:a}, and {second=bird:a}. Then water came in! "[We are sinking|Help|Oh no]!" cried '
        "{friend}. {third=animal} the {third.kind} [swam out|heard them|saw them] and pulled them to [the "
        'shore|dry land]. "{thanks}," {said} {hero}. {together}'
    ),
}
