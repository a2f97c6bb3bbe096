
// From here on, the search for whole words, in place of Sphinx's own (see search.py).
//
// A page is found if it has each word of the query, in its headings or its text: as it was asked for, or in another form
// of the same stem; if no page has a word, those that begin with it count. What was asked for comes first. Headings and
// entries of the glossary are found if half of their own words are asked for.

{
  const WORDS = /[\p{L}\p{N}_]+/gu; // as Python's \w+, by which the index was made
  const ASKED = [20, 12], FORM = [6, 4], BEGINNING = [2, 1]; // scores in a heading of the page and in its text
  const HEADING = 25, TITLE = 50, ENTRY = 100; // scores of one that is asked for in full
  const OTHER = 0.2; // what a word counts in them that has another form
  const MENTION = 1e-3; // what only mentions an entry comes after all others

  const wordsOf = (text) => (text.toLowerCase().replace(/['’]s\b/g, "").match(WORDS) ?? [])
    .filter((word) => !stopwords.includes(word));
  const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

  // The index by words: the pages of each, in headings and in texts, and all words of a stem.
  function read({ terms, titleterms }) {
    const stemmer = new Stemmer();
    const stem = (word) => stemmer.stemWord(word);
    const places = [titleterms, terms].map((one) => new Map(Object.entries(one).map(([word, at]) => [word, [at].flat()])));
    const words = [...new Set(places.flatMap((one) => [...one.keys()]))];
    const stems = new Map();
    words.forEach((word) => stems.set(stem(word), [...(stems.get(stem(word)) ?? []), word]));
    return { stem, places, words, stems };
  }

  // The words of the index that count as this one, a Map to their scores.
  function formsOf(word, { stem, words, stems }) {
    const kin = stems.get(stem(word)) ?? [];
    if (kin.length) return new Map(kin.map((one) => [one, one === word ? ASKED : FORM]));
    const longer = word.length > 2 ? words.filter((one) => one.startsWith(word)) : [];
    return new Map(longer.map((one) => [one, BEGINNING]));
  }

  // The pages that have one of the forms, a Map to their scores: the best in headings and the best in the text.
  function pagesOf(forms, { places }) {
    const scores = new Map();
    places.forEach((pages, place) => {
      const best = new Map();
      forms.forEach((score, word) => pages.get(word)?.forEach((page) => {
        best.set(page, Math.max(best.get(page) ?? 0, score[place]));
      }));
      best.forEach((score, page) => scores.set(page, (scores.get(page) ?? 0) + score));
    });
    return scores;
  }

  // How much of a heading or an entry the query asks for, from 0 to 1.
  function share(text, asked, { stem }) {
    const own = wordsOf(text);
    const found = asked.map((word) => {
      if (own.includes(word)) return 1;
      return own.some((one) => stem(one) === stem(word)) ? OTHER : 0;
    });
    const part = Math.min(1, asked.length / own.length);
    return part < 0.5 || found.includes(0) ? 0 : part * mean(found);
  }

  // {results: [[page, title, anchor, score], …] from the last to the first, words: that count as those of the query}
  function find(asked) {
    const { titles, alltitles, indexentries } = Search._index;
    const index = read(Search._index);
    const results = new Map();
    const add = (page, title, anchor, score) => {
      const key = `${page}${anchor}`;
      if (score > (results.get(key)?.[3] ?? 0)) results.set(key, [page, title, anchor, score]);
    };
    const forms = asked.map((word) => formsOf(word, index));
    const [first, ...others] = forms.map((one) => pagesOf(one, index));
    first.forEach((score, page) => {
      const scores = [score, ...others.map((one) => one.get(page))];
      if (scores.every(Boolean)) add(page, titles[page], "", mean(scores));
    });
    for (const [title, places] of Object.entries(alltitles)) {
      const part = share(title, asked, index);
      for (const [page, id] of places) {
        if (titles[page] === title) add(page, title, "", TITLE * part);
        else add(page, `${titles[page]} > ${title}`, `#${id}`, HEADING * part);
      }
    }
    for (const [entry, places] of Object.entries(indexentries)) {
      const score = ENTRY * share(entry, asked, index);
      for (const [page, id, main] of places) add(page, titles[page], id ? `#${id}` : "", main ? score : score * MENTION);
    }
    const order = (one, other) => one[3] - other[3] || other[1].localeCompare(one[1]);
    return { results: [...results.values()].sort(order), words: forms.flatMap((one) => [...one.keys()]) };
  }

  Search.query = (query) => {
    const asked = [...new Set(wordsOf(query))];
    const { results, words } = asked.length ? find(asked) : { results: [], words: [] };
    const { docnames, filenames } = Search._index;
    const items = results.map(([page, title, anchor, score]) => (
      [docnames[page], title, anchor, null, score, filenames[page]]));
    const marked = [...new Set([...asked, ...words])];
    themeStorage.setItem("sphinx_highlight_terms", marked.join(" ")); // for the page that is opened
    _displayNextItem(items, items.length, marked, marked);
  };

  // The text around the first place of the first of these words that it has.
  Search.makeSearchSummary = (html, words, anchor) => {
    const text = Search.htmlToText(html, anchor);
    if (!text) return null;
    const found = [...text.matchAll(WORDS)].reverse().map(({ 0: word, index }) => [word.toLowerCase(), index]);
    const places = new Map(found);
    const start = Math.max((places.get(words.find((word) => places.has(word))) ?? 0) - 120, 0);
    const end = start + 240;
    const summary = document.createElement("p");
    summary.className = "context";
    summary.textContent = `${start ? "..." : ""}${text.slice(start, end).trim()}${end < text.length ? "..." : ""}`;
    return summary;
  };
}
