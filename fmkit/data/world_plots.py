"""The plots of the story world: templates in the language that `fmkit.data.world` explains.

A story is an opening, which introduces the hero, a time of day, and a plot. Every plot goes on after
"One day, ". In a plot `hero` is the main character, `friend` another one, `adult` a grown-up of the hero's.
"""

from __future__ import annotations

__all__ = ["ANIMAL_PLOTS", "CHILD_PLOTS", "RULES"]

RULES = {
    "start": "[{child_opening} {day}, {plot=child_plots:text}|{animal_opening} {day}, {plot=animal_plots:text}]",
    "child_opening": (
        "[Once upon a time, there was {trait=trait:a} {new_child}. {fact}"
        "|Once upon a time, {trait=trait:a} {new_child} lived {hero.home}. {taste}"
        "|There once was {trait=trait:a} {new_child}. {fact}"
        "|{name} was {trait=trait:a} {hero.kind} who lived {hero.home}. {taste}"
        "|{name} lived {hero.home}. {taste}"
        "|{name} was {trait=trait:a} {hero.kind} who loved {hero.hobby}.]"
    ),
    "animal_opening": (
        "[Once upon a time, there was {trait=trait:a} {hero=animal:kind} named {hero}. {deed}"
        "|Once upon a time, {trait=trait:a} {hero=animal:kind} named {hero} lived {hero.home}. {treat}"
        "|{hero=animal} was {trait=trait:a} {hero.kind} who lived {hero.home}. {treat}"
        "|{hero=animal} the {hero.kind} lived {hero.home}. {treat}]"
    ),
    "new_child": "[=girl named {hero=girl}|boy named {hero=boy}]",
    "name": "[={hero=girl}|{hero=boy}]",
    "fact": "[{hero.He} lived {hero.home}.|{taste}]",
    "taste": (
        "[{hero.He} [loved|liked] {hero.hobby}.|{hero.His} favorite food was {hero.food}."
        "|{hero.He} had {hero.pet.a} named {hero.pet}.|{hero.His} favorite color was {hero.color}."
        "|{hero.He} loved to eat {hero.food}.]"
    ),
    "deed": "[{hero.He} lived {hero.home}.|{treat}]",
    "treat": (
        "[{hero.He} [loved|liked] {hero.hobby}.|{hero.His} favorite food was {hero.food}."
        "|{hero.He} ate {hero.food} every day.|{hero.He} [loved|liked] to eat {hero.food}.]"
    ),
    "day": "[One day|One {nice=nice} [=morning|afternoon|day]|One [=morning|afternoon]|On a {nice=nice} [=day|morning]]",
    "stranger": "[=a girl named {friend=girl}|a boy named {friend=boy}]",
    "thanks": "[Thank you|Thank you so much|Thanks|Oh, thank you]",
    "coda": (
        "[| It was [a wonderful|a good|a lovely|the best] day.| {hero} [smiled|was happy] all day long."
        "| That night, {hero} [slept very well|dreamed sweet dreams|told {hero.his} family all about it].]"
    ),
    "hugged": "[gave {hero.him} a [big|warm] hug|hugged {hero.him}|smiled at {hero.him}|held {hero.his} hand]",
}

CHILD_PLOTS = {
    "lost toy": (
        "{hero} could not find {hero.his} {color=color} {toy=toy}. {hero.He} looked {spot=spot}, but it was not "
        'there. {hero.He} looked {second=spot}, but there was only {junk=junk:a}. "Where [can it be|is my {toy}|did '
        'it go]?" {hero.he} [asked|cried|said]. [Then|Just then|Soon], {hero.he} heard a {soft=soft} [noise|sound] '
        "{third=spot}. It was {hero.his} {hero.pet.kind} {hero.pet}, [playing with|sleeping next to|sitting beside] "
        "the {color} {toy}! {hero} [laughed|giggled|smiled] and gave {hero.pet} a [big|warm|gentle|long] hug."
    ),
    "kite in a tree": (
        "{hero} took {hero.his} {color=color} kite to {place=place:the}. The wind was [strong|wild], and the kite "
        "flew [high|up and up] into the sky. Then it got stuck in a [tall|big|high] {tree=tree}. {hero} pulled and "
        "pulled, but it [did not move|would not come down]. {friend=child} came by with a [long stick|ladder|long "
        'pole]. "[Let me help|I can help you|Do not worry]," {friend.he} said. [Soon|A moment later], the kite was '
        "free. The two friends took turns with the {color} kite until [dinner time|the sun went down|it got dark]."
    ),
    "sharing": (
        "{hero} [picked|found] {n=number} {fruit=fruit:many} [in the garden|under a tree|near {hero.near}]. On the "
        'way home, {hero.he} met {friend=child}, who looked {sad=sad}. "[I forgot my lunch|I am so hungry|I have '
        'nothing to eat]," said {friend}. {hero} gave {friend.him} {part=n.parts:gone} {fruit(part.gone)}. Now '
        '{hero} had {part.left} {fruit(part.left)} left. "{thanks}," said {friend}. They sat down [on the '
        "grass|on a bench|in the shade|by the road] and ate together. {hero} [felt|was] {glad=glad}, because "
        "[sharing is fun|it feels good to share|food tastes better with a friend]."
    ),
    "coins": (
        "{hero} went to the [market|toy shop|fair|corner shop] with {n=number} coins. {hero.He} saw {color=color:a} "
        "{toy=toy}. It cost {part=n.parts:gone} {coin(part.gone)}. {hero} [paid|bought it] and had {part.left} "
        "{coin(part.left)} left. With the rest of the money, {hero.he} bought {snack=snack:a} for {hero.his} "
        '{adult=adult}. "[For me|Is this for me]?" asked {adult.call}. "[What a nice surprise|How kind of you|You '
        'are so sweet]!" They [shared|cut] the {snack} [in two|at the kitchen table], and then they played with '
        "the {color} {toy}.{coda}"
    ),
    "ducklings": (
        "{hero} went to the pond with {hero.his} {adult=adult} and saw a mother duck with {n=number} ducklings. [A "
        "little later|Soon|After a while], {hero} counted again. There were only {n.less}! {hero} heard a {soft=soft} "
        "peep. One duckling was stuck [behind|under] {trap=trap:a}. {hero} picked it up {gently=gently} and put it back "
        'in the water. "[Now there are|I count] {n} again," said {hero}. The mother duck [quacked|flapped her wings], '
        "and {adult.call} [was very proud|clapped {adult.his} hands|{hugged}]."
    ),
    "tower": (
        "{hero} built a [tall|high|fine] tower of {n=number} blocks. {friend=child} [ran|jumped|danced] by and bumped "
        "into it, and {part=n.parts:gone} {block(part.gone)} fell [down|off|to the floor]. Now the tower had only "
        '{part.left} {block(part.left)}. "[Oh no, I am sorry|I am so sorry|Oops, sorry]!" said {friend}. {hero} was '
        '{sad=sad}, but not for long. "[That is all right|It is okay|Never mind]," {hero.he} said. "[Help me|Let us] '
        'build it up again." [Soon|Before long] the tower had {n} blocks again, and [a {color=color} flag on '
        "top|it looked like a castle|it was even better than before]."
    ),
    "seed": (
        "{hero.his} {adult=adult} gave {hero} a [tiny|small|little] seed. {hero.He} planted it in [the garden|a "
        "{color=color} pot|soft, dark soil] and watered it every day. [At first|For a long time], nothing happened. "
        '"[Will it ever grow|Is it asleep|Where is my flower]?" asked {hero}. "[Be patient|Just wait|Give it time]," '
        "said {adult.call}. Then a small green leaf [came up|peeked out of the ground]. By [summer|June|the end of "
        "spring], there was a [tall|big|lovely|fine] {flower=flower}. {hero} was [proud|{glad=glad}] and [showed it to "
        "{friend=child}|gave it to {adult.call}|drew a picture of it]."
    ),
    "rainy day": (
        "{hero} wanted to go to {place=place:the}. But [dark|big|gray] clouds came, and it [began|started] to rain. "
        '{hero} sat by the window and [sighed|felt {sad=sad}|watched the drops]. "[Do not be sad|Cheer up|I have an '
        'idea]," said {hero.his} {adult=adult}. "Let us {indoors=indoors}!" So they {indoors.did} until the rain '
        'stopped. Then the sun came out, and there was a [big|bright|beautiful] rainbow over {hero.near}. "[This is '
        'the best rainy day ever|I like rain now|Look at the colors]!" said {hero}.'
    ),
    "stray": (
        "{hero} heard a {soft=soft} sound near {hero.near}. It was {stray=stray:a}, all alone and [cold|hungry|wet|"
        "tired]. {hero} wrapped it in {hero.his} {hero.color} {wrap=wrap} and carried it home. {hero.His} {adult=adult} "
        'gave it [some food|a warm bed|some water]. "[Can|May] we keep it?" asked {hero}. "[Yes|Of course], if you '
        'take good care of it," said {adult.call}. {hero} named the {stray} {stray_name=stray_name}. From that day on, '
        "{stray_name} [slept in a box by the stove|followed {hero} everywhere|was part of the family]."
    ),
    "the truth": (
        "{hero} was [jumping|running|dancing|playing] in the house. Crash! {hero.He} [hit|bumped into] {color=color:a} "
        "{fragile=fragile}, and it [broke|fell and broke]. {hero} wanted to hide. But when {hero.his} {adult=adult} came "
        'in, {hero.he} told the truth. "I broke the {fragile}," {hero.he} said. "I am [so|very] sorry." {adult.call} '
        '{hugged}. "[Thank you for telling me|I am glad you told me|It was brave to tell the truth]," {adult.he} said. '
        "They [cleaned up|swept the floor] together, and {hero} [felt much better|felt {glad=glad} again]."
    ),
    "noise at night": (
        "{hero} [cleaned the house|worked in the garden|washed the car] with {hero.his} {adult=adult}. That night, {hero.he} could not sleep. There was a "
        '{soft=soft} noise {spot=spot}. "[What is that|Is it a monster|Who is there]?" {hero.he} [whispered|asked]. '
        "{adult.call} came in with a [lamp|candle|light], and they looked {spot} together. It was only "
        "{hero.pet} the {hero.pet.kind}, playing with {junk=junk:a}! {hero} [laughed|giggled] and [felt brave|was not "
        "scared anymore]. Soon {hero.he} was fast asleep."
    ),
    "birthday": (
        "it was {friend=child}'s birthday. {hero} wanted to give {friend.him} something [special|nice|good]. {hero.He} "
        "knew that {friend}'s favorite color was {friend.color}, so {hero.he} [made|bought|found] {friend.color.a} "
        '{gift=gift}. At the party, {friend} opened the box [slowly|quickly|with a big smile]. "[Wow|Oh|Look]! {friend.color.Name} is my '
        'favorite color!" {friend.he} [cried|said|shouted]. The children [ate cake|played games|sang songs|danced] and '
        "[ate {friend.food}|laughed a lot|had a lot of fun]. {friend} [kept|held] the {gift} [all day|all evening]."
    ),
    "learning": (
        "{hero} wanted to learn how to {skill=skill}. {hero.He} tried, but {hero.he} {skill.fail}. {hero.He} tried "
        'again, but it was [no good|too hard|no better]. "[I cannot do it|I will never learn|It is too hard]," said '
        '{hero}. {hero.His} {adult=adult} smiled. "Not yet," {adult.he} said. "[Keep trying|Try once more|Do not give '
        'up]." So {hero} practiced for {n=few} [days|weeks]. [At last|Then, one day], {hero.he} could {skill}! '
        "{adult.call} [clapped|cheered|{hugged}], and {hero} was {glad=glad}.{coda}"
    ),
    "treasure": (
        "{hero} and {friend=child} found an old map in [the attic|a book|a bottle|a drawer]. It showed a cross under "
        "{tree=tree:a}. They ran past {hero.near} and began to dig. [Clunk|Bump]! There was a {box=box} box in "
        'the ground. Inside was {color=color:a} {treasure=treasure} and a note. "[A friend is the best '
        'treasure|Share this with someone you love|Be good to each other]," it said. {hero} and {friend} took turns '
        "keeping the {treasure}, and [they stayed friends forever|they never told anyone|they read the note every day]."
    ),
    "picnic": (
        "{hero} and {friend=child} had a picnic {place=place:at}. {hero} brought {hero.dish}, and {friend} brought "
        "{friend.dish}. [Suddenly|Just then], a [hungry|cheeky|little|brave] {thief=thief} came and grabbed "
        '{snack=snack:a}. "[Hey, that is ours|Stop|Come back]!" [cried|shouted|called] {hero}. But {friend} [laughed|'
        'smiled]. "It is [hungry|having a picnic], too," {friend.he} said. So they gave the {thief} [some crumbs|'
        "another {snack}|a little water], and it [sat down with|stayed close to|looked at] them until they went home."
    ),
    "snowman": (
        "{hero} looked out of the window. [Everything was white|It had snowed all night|There was snow everywhere]! "
        "{hero} put on a warm coat and ran outside. {hero.He} and {friend=child} made a [big|round|funny] snowman, "
        'with [a carrot|a pine cone|a potato|a stick] for a nose and [buttons|stones|nuts] for eyes. "He looks cold," '
        "said {friend}. So {hero} gave the snowman {hero.his} own {hero.color} {hat=hat}. [A week|A few days] "
        "later, the sun was warm, and the snowman was gone. Only the {hero.color} {hat} [was left|lay on the grass]."
    ),
    "wish": (
        '{hero} had a busy day. In the evening, {hero.he} saw a [bright|falling|golden] star. "Make a wish," said {hero.his} {adult=adult}. '
        "{hero} closed {hero.his} eyes and wished for {toy=toy:a}. But in the morning, there was no {toy}. {hero} was "
        '{sad=sad}. Then {friend=child} knocked at the door with a {box=box} box. "[I made this for you|This is for '
        'you|I have something for you]," {friend.he} said. Inside was {color=color:a} {toy}! "[My wish came '
        'true|How did you know|It is just what I wanted]!" said {hero}.'
    ),
    "new school": (
        "{hero} went to a new school. {hero.He} was {shy=shy} and sat alone. At lunch, {stranger} sat down next to "
        '{hero.him}. "What do you like to do?" asked {friend}. "I like {hero.hobby}," said {hero} [softly|in a small '
        'voice|shyly]. "[Me, too|Oh, nice|That sounds fun]," said {friend}. "And I like {friend.hobby}." {hero} [smiled|'
        "felt a little better]. After school, they walked home together[, talking and laughing| and shared "
        "{snack=snack:a}]. Now {hero} had a new friend."
    ),
    "letter": (
        '{hero} missed {hero.his} {elder=elder}, so {hero.he} wrote a letter. "Dear {elder.call}, [I miss you|please '
        'visit us soon|I think of you every day]," it said. {hero} drew [a heart|the sun|{hero.pet} the '
        "{hero.pet.kind}] on the page and [mailed it|put it in the mailbox]. {n=few:Name} days later, someone knocked at "
        'the door. It was {elder.call}, with a [basket|box|bag|plate] of {snack=snack:many}! "[I loved your letter|I read '
        'your letter, and here I am|I missed you, too]," {elder.he} said. {hero} [ran into {elder.his} arms|jumped for '
        "joy|laughed and danced]."
    ),
    "swap": (
        '{hero} had {color=color:a} {toy=toy}, and {friend=child} had {hue=color:a} {other=toy}. "[May|Can] I play '
        'with your {other}?" asked {hero}. {friend} [shook {friend.his} head|held it tight|said no]. Then {hero} had '
        'an idea. "You can play with my {toy}," {hero.he} said. {friend} [smiled|nodded|thought about it]. So {hero} '
        "played with the {hue} {other}, and {friend} played with the {color} {toy}. [In the evening|Before dinner|Later], "
        'they gave the toys back. "[That was fun|Let us do it again|Sharing is twice the fun]," said {friend}.'
    ),
    "broken toy": (
        "{friend=child} came to play. {friend.He} dropped {hero}'s {color=color} {toy=machine}, and it [broke|broke in "
        'two|cracked]. "I am [so|very] sorry," said {friend}, and [began to cry|looked at the floor|turned red]. {hero} '
        'was {sad=sad}, but {hero.he} took a deep breath. "[We can fix it|Let us fix it|Do not cry]," {hero.he} said. '
        "They [used|took] {tool=tool} and worked [slowly|hard|together] for [an hour|a long time]. Then the {toy} was "
        "as good as new. {friend} [hugged {hero}|was {glad=glad}|smiled again].{coda}"
    ),
    "hide-and-seek": (
        "{hero} played hide-and-seek with {friend=child}. {hero} [closed {hero.his} eyes and counted|counted] to "
        '[ten|twenty]. "Ready or not, here I come!" {hero.he} [called|shouted|said]. {hero.He} looked {spot=hiding}, '
        "but nobody was there. {hero.He} looked {second=hiding} and found only {junk=junk:a}. Then {hero.he} heard a "
        '{soft=soft} [giggle|laugh] {third=hiding}. "[I found you|There you are|I see you]!" [cried|said] {hero}. {friend} '
        '[jumped|came] out and laughed. "Now it is [my turn to look|your turn to hide]," {friend.he} said.'
    ),
    "talking fish": (
        "{hero} went fishing with {hero.his} {elder=elder}. They [waited|sat] for a long time. [At last|Then], {hero} "
        'caught {color=color:a} {fish=fish}. "Please let me go," said the {fish}. {hero} [felt sorry for it|was very '
        'surprised|could not believe it] and put it back in the water {gently=gently}. "You have a [kind|good|big] '
        'heart," said the {fish}. It swam [away|down] and came back with {treasure=treasure:a}. {hero} [gave|showed] the '
        '{treasure} to {elder.call}. "[What a fish|I have never seen such a fish|You were kind]," {elder.he} said.'
    ),
    "paw prints": (
        "{hero} painted a picture of {hero.his} {hero.pet.kind}, {hero.pet}. But {hero.pet} [walked|ran] through the "
        '{color=color} paint and then over the paper. "[Oh no|Stop|Look what you did]!" cried {hero}. There were '
        "{color} spots everywhere. {hero} was {sad=sad} at first. Then {hero.he} looked [again|closely]. The spots "
        "looked like [flowers|stars|balloons|little hearts]! {hero} [signed|finished] the picture and gave it to "
        '{hero.his} {adult=adult}. "I love the {color} spots best," said {adult.call}. {hero} and {hero.pet} had made it '
        "together."
    ),
    "sick friend": (
        "{friend=child} was sick and could not [play|come out|go to school]. {hero} wanted to [cheer {friend.him} up|"
        "help]. {hero.He} knew that {friend} loved {friend.food}. So {hero} and {hero.his} {adult=adult} made "
        '{friend.dish}. {friend} lived {friend.home}, and it was a [long|short] walk. "[I feel better already|You are a '
        'good friend|This is so kind]," said {friend}, and ate every bite. Then {hero} [read {friend.him} a story about '
        "{stray=stray:a}|told {friend.him} a [funny|silly] joke|sang {friend.him} a [soft|happy] song]. The next day, "
        "{friend} was well again."
    ),
    "loose tooth": (
        "{hero} had a loose tooth. {hero.He} [wiggled|pushed] it with {hero.his} tongue, but it would not come out. "
        'Then {hero.he} bit into {crunchy=crunchy:a}, and [out it came|pop, it was out]! "[Look|See], {adult=adult:call}, '
        'my tooth!" {hero.he} [cried|said|shouted]. That night, {hero} put the tooth under {hero.his} pillow. In the '
        "morning, {hero.he} found {n=few} coins. {hero} [bought {snack=snack:a}|put the money in a {color=color} jar|showed the money "
        "to {friend=child}] and smiled with a [big|funny|little] gap in {hero.his} teeth."
    ),
    "messy room": (
        '{hero}\'s room was a [big|terrible] mess. "Please clean it up," said {hero.his} {adult=adult}. {hero} put the '
        "{color=color} {toy=toy} {shelf=shelf}. {hero.He} put the {other=toy} {second=shelf}. Under {clothing=clothing:a}, "
        '{hero.he} found {treasure=treasure:a}. "[I thought I had lost this|I looked for this all week|So this is where '
        'you were]!" said {hero}. Soon the room was [clean|neat|tidy]. {adult.call} [was {glad=glad}|{hugged}]. "Now you '
        'have room to [play|dance|build things]," {adult.he} said.'
    ),
    "hurt bird": (
        "{hero} found {bird=bird:a} under {tree=tree:a}. Its wing was hurt. {hero} put it in a {box=box} box with "
        '[soft grass|a warm towel|some wool] and gave it [seeds|water|bread crumbs]. "[Rest now|You are safe '
        'here|Do not be afraid], little {bird}," {hero.he} said {gently=gently}. After {n=few} [days|weeks], the {bird} '
        "could fly again. {hero} opened the [window|door], and it flew up to the {tree}. [The next day|The next "
        "morning|In the spring], it came back and sang [outside {hero.his} window|a song for {hero.him}]."
    ),
    "crumbs": (
        "{hero} and {hero.his} {adult=adult} made {n=number} {snack=snack:many} and put them {shelf=cooling} to cool. "
        'When {hero} came back, {part=n.parts:gone} of them {part.gone.was} gone! "Who [ate|took] {part.gone.them}?" asked '
        "{hero}. Then {hero.he} saw {hero.pet} the {hero.pet.kind}, with crumbs all over {hero.pet}'s face. \"[You little "
        'thief|Was it you|Oh, {hero.pet}]!" {hero} [laughed|said]. "Now there {part.left.is} only {part.left} '
        '{snack(part.left)} left." "[We can make more|That is enough for us|At least they were good]," said '
        "{adult.call}[| with a smile| and laughed]."
    ),
}

ANIMAL_PLOTS = {
    "sharing nuts": (
        "{hero} found {n=number} {nut=nut:many} {spot=outdoors}. {hero.He} was going to take them home, but then "
        '{hero.he} met {friend=animal} the {friend.kind}. "[I have not eaten all day|I am so hungry|My cupboard is '
        'empty]," said {friend}. So {hero} gave {friend.him} {part=n.parts:gone} {nut(part.gone)} and kept {part.left} '
        '{nut(part.left)}. "{thanks}," said {friend}. "[I will not forget this|You are a true friend|You are very kind]." '
        "The next week, {hero} had nothing to eat, and {friend} [brought|gave] {hero.him} {friend.dish}."
    ),
    "race": (
        '{hero} had a race with {friend=animal} the {friend.kind}. "[I am much faster than you|You will never win|I will '
        'win for sure]," said {friend}. They started at {hero.near} and ran [fast|side by side|as fast as they could]. '
        "Soon {friend} was far ahead. So {friend.he} stopped to [take a nap|eat some {friend.food}|rest in the shade]. "
        '{hero} did not stop. {hero.He} went on and on and [won the race|got there first]. "[You never gave up|Well '
        'done|I should not have stopped]," said {friend}. They [shook hands|laughed] and walked home together.'
    ),
    "deep hole": (
        '{hero} heard a cry for help. {friend=animal} the {friend.kind} had fallen into a deep hole! "[Please get me '
        'out|I cannot climb up|Help me]," said {friend}. {hero} [found|threw down] a [long vine|strong rope|long branch], '
        "but {hero.he} could not pull {friend.him} out alone. So {hero} called {third=animal} the {third.kind}. Together "
        'they pulled and pulled, and [at last|slowly] {friend} came out. "{thanks}," said {friend}. That evening, '
        "{friend} invited them to eat {friend.food} {friend.home}."
    ),
    "storm": (
        "{hero} saw [dark|black|gray] clouds, and soon a [big|wild|terrible] storm came. {hero} was safe and dry at home. Then someone knocked. It was {friend=animal} "
        'the {friend.kind}, [wet|cold|wet and cold]. "[May I come in|Can I stay here]?" asked {friend}. "[Of course|Yes, '
        'come in]," said {hero}. Soon {third=animal} the {third.kind} came, too. Now there were three of them. They '
        '[ate {hero.food}|sang songs|told stories|played games] until the storm was over. "It is [nicer|more fun|warmer] '
        'with friends," said {hero}.{coda}'
    ),
    "huge vegetable": (
        "{hero} found a [huge|giant|very big] {vegetable=vegetable} in the field. {hero.He} pulled and pulled, but it would "
        "not come out. {hero.He} called {friend=animal} the {friend.kind}. They pulled together, but the {vegetable} [did "
        "not move|stayed in the ground]. Then {third=animal} the {third.kind} came to help. One, two, three, and [pop|"
        "plop], out it came! They all fell [down|on their backs] and laughed. That night, the three friends ate "
        "{vegetable} [soup|stew|pie], and it was [very good|delicious|the best they had ever had]."
    ),
    "way home": (
        "{hero} walked too far and got lost. Soon it was [dark|late|cold]. {hero.He} sat down {spot=outdoors} and [began "
        'to cry|felt {sad=sad}]. {friend=animal} the {friend.kind} [came by|saw {hero.him}|stopped]. "Where do you live?" '
        'asked {friend}. "I live {hero.home}," said {hero}. "[I know the way|That is not far|I know that place]," said '
        "{friend}. They walked [over a bridge|through the trees|along a path] until they saw {hero.near}. {hero} was {glad=glad} "
        "to be home and gave {friend} {hero.dish}."
    ),
    "all mine": (
        '{hero} found {color=color:a} {treasure=treasure} {spot=outdoors}. "[May I|Can I] hold it?" asked {friend=animal} '
        'the {friend.kind}. "No, it is mine!" said {hero}. So {friend} went away. {hero} [looked at|played with] the '
        "{treasure} all [day|morning|afternoon], but {hero.he} felt [lonely|bored|alone]. Then {hero.he} ran to {friend}. "
        '"I am sorry," said {hero}. "[You can have a turn|You can hold it, too|We can share it]." {friend} [smiled|was '
        "{glad=glad}]. After that, the {treasure} was much more fun."
    ),
    "shadow": (
        '{hero} saw a [big|dark|long] shape {spot=outdoors}. "[It is a monster|Oh no, a monster|Help]!" {hero.he} [cried|'
        "shouted] and ran to {friend=animal} the {friend.kind}. {friend} [came to look|went back with {hero.him}]. "
        '"[Lift one arm|Wave your hand|Jump up and down]," said {friend}. {hero} did, and the shape did it, too. It was '
        "only {hero.his} own shadow! They [laughed|laughed and laughed]. Then they made [funny|silly|big] shadows "
        "[together|until the sun went down], and {hero} was not afraid anymore."
    ),
    "winter": (
        "{hero} saw the first [yellow|red|brown] leaves fall. So {hero.he} gathered {n=number} {nut=nut:many} for the winter. But there was a hole in the bag, "
        'and {part=n.parts:gone} {nut(part.gone)} fell out. At home, {hero} counted. "Only {part.left} {nut(part.left)}," '
        '{hero.he} said, and was {sad=sad}. Then {friend=animal} the {friend.kind} came to the door. "[You lost '
        'these|I found these on the path|These are yours, I think]," {friend.he} said. So {hero} had {n} {nut(n)} again. '
        "They sat by the fire, [warm and {glad=glad}|ate {friend.food} and talked], while the wind blew outside."
    ),
    "bridge": (
        "the [old|little|wooden] bridge over the stream broke. {friend=animal} the {friend.kind} was on the other side. "
        '"I cannot get home," said {friend}. "I live {friend.home}." {hero} thought [hard|for a while]. Then {hero.he} '
        'called {third=animal} the {third.kind}, and they pushed a [big|long|heavy] log over the water. "[Walk '
        'slowly|Hold on tight|Do not look down]," said {hero}. {friend} walked across, step by step. "{thanks}!" '
        "{friend.he} said. Now there was a new bridge for [everyone|all the animals]."
    ),
    "contest": (
        "there was a [singing|dancing|story] contest {spot=outdoors}. {hero} wanted to be in it, but {hero.he} was "
        '{shy=shy}. "[Everyone will laugh at me|I am not good enough|I cannot do it]," said {hero}. "Just think of '
        '{hero.food}," said {friend=animal} the {friend.kind}. "Then you will [smile|be happy|feel brave]." {hero} closed '
        "{hero.his} eyes, thought of {hero.food}, and began. When it was over, everyone [clapped|cheered]. {hero} won "
        "{prize=treasure:a} and gave {friend} a [big|warm] hug."
    ),
    "bee": (
        '{hero} saw a bee in [a spider web|a puddle|a glass jar]. "[Please help me|Help|I cannot get out]!" said the bee. '
        '{hero} lifted it out {gently=gently} with a [leaf|twig|blade of grass]. "{thanks}," said the bee. "I will '
        'help you one day." {n=few:Name} days later, {hero} could not find any {hero.food}. {hero.He} was [hungry|{sad=sad}]. '
        'Then the bee came and [said, "Follow me!"|showed {hero.him} the way]. Behind {trap=trap:a}, there was plenty of '
        "{hero.food}. {hero} [ate and ate|ate until {hero.he} was full|danced for joy]."
    ),
    "moon in the pond": (
        '{hero} worked in the field until the night came. {hero.He} looked into the pond and saw the moon. "[The moon has fallen in|'
        'Oh no, the moon fell down|The moon is in the water]!" cried {hero}. {hero.He} got a [net|rope|bucket|long stick] and '
        "tried to pull it out, but the moon [broke into little pieces|slipped away]. {friend=animal} the {friend.kind} came to "
        'see. "Look up," said {friend}. There was the moon, [high|round and bright|safe] in the sky. They [laughed|smiled] '
        "and [sat by the pond|ate {friend.food}|looked at the moon] until they were sleepy."
    ),
}
