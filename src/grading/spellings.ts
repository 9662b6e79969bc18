/** The many spellings of one symbol, word or command. A value with a backslash is a command. */

export const SYMBOLS: ReadonlyMap<string, readonly string[]> = new Map(Object.entries({
  "×": ["*"], "·": ["*"], "⋅": ["*"], "∗": ["*"], "•": ["*"], "÷": ["/"], "∕": ["/"], "⁄": ["/"], "／": ["/"],
  "−": ["-"], "–": ["-"], "—": ["-"], "﹣": ["-"], "－": ["-"], "＋": ["+"], "＝": ["="], "＜": ["<"], "＞": [">"],
  "≤": ["≤"], "⩽": ["≤"], "≥": ["≥"], "⩾": ["≥"], "≠": ["≠"], "≈": ["≈"], "≡": ["="], "±": ["±"], "∓": ["∓"],
  "∈": ["∈"], "∪": ["∪"], "∩": ["∩"], "∅": ["\\emptyset"], "∖": ["\\setminus"], "ℝ": ["\\mathbb{R}"],
  "∞": ["\\infty"], "π": ["\\pi"], "√": ["\\sqrt"], "θ": ["\\theta"], "α": ["\\alpha"], "β": ["\\beta"], "γ": ["\\gamma"],
  "λ": ["\\lambda"], "φ": ["\\phi"], "ω": ["\\omega"], "Δ": ["\\Delta"], "μ": ["\\mu"], "σ": ["\\sigma"],
  "°": ["^", "\\circ"], "²": ["^", "2"], "³": ["^", "3"], "′": ["'"], "’": ["'"], "‘": ["'"], "%": ["%"], "％": ["%"],
  "（": ["("], "）": [")"], "，": [","], "、": [","], "；": [";"], "：": [":"], "［": ["["], "］": ["]"], "⌊": ["\\lfloor"],
  "⌋": ["\\rfloor"], "⌈": ["\\lceil"], "⌉": ["\\rceil"], "⟨": ["\\langle"], "⟩": ["\\rangle"], "½": ["1", "/", "2"],
  "¼": ["1", "/", "4"], "¾": ["3", "/", "4"], "→": ["\\to"], "⇒": ["\\implies"], "€": ["\\euro"], "£": ["\\pound"],
  "…": ["\\ldots"], "。": [], "&": ["&"], "\"": [], "“": [], "”": [],
}));

/** Words outside `\text{}` that are mathematics. */
export const WORDS: ReadonlyMap<string, string> = new Map(Object.entries({
  and: ",", or: "∨", "and/or": ",", percent: "%", pct: "%", percentage: "%", degrees: "\\degree", degree: "\\degree",
  sqrt: "\\sqrt", pi: "\\pi", sin: "\\sin", cos: "\\cos", tan: "\\tan", cot: "\\cot", sec: "\\sec", csc: "\\csc",
  sinh: "\\sinh", cosh: "\\cosh", tanh: "\\tanh", coth: "\\coth", sech: "\\sech", csch: "\\csch",
  arcsin: "\\arcsin", arccos: "\\arccos", arctan: "\\arctan", asin: "\\arcsin", acos: "\\arccos", atan: "\\arctan",
  arccot: "\\arccot", arcsec: "\\arcsec", arccsc: "\\arccsc", arcsinh: "\\arcsinh", arccosh: "\\arccosh",
  arctanh: "\\arctanh", asinh: "\\arcsinh", acosh: "\\arccosh", atanh: "\\arctanh",
  log: "\\log", ln: "\\ln", lg: "\\lg", exp: "\\exp", abs: "\\abs", sgn: "\\sgn", sign: "\\sgn", signum: "\\sgn", floor: "\\floor", ceil: "\\ceil", min: "\\min",
  max: "\\max", gcd: "\\gcd", lcm: "\\lcm", inf: "\\infty", infinity: "\\infty", oo: "\\infty",
  theta: "\\theta", alpha: "\\alpha", beta: "\\beta", lambda: "\\lambda", gamma: "\\gamma", delta: "\\delta", epsilon: "\\epsilon",
  sigma: "\\sigma", omega: "\\omega", in: "∈", cup: "∪", emptyset: "\\emptyset",
}));

/** Commands under other names; a value without a backslash is a symbol. */
export const ALIASES: ReadonlyMap<string, string> = new Map(Object.entries({
  times: "*", cdot: "*", ast: "*", div: "/", slash: "/", le: "≤", leq: "≤", leqslant: "≤", ge: "≥", geq: "≥", geqslant: "≥",
  lt: "<", gt: ">", ne: "≠", neq: "≠", approx: "≈", simeq: "≈", thickapprox: "≈", doteq: "≈", equiv: "=", in: "∈", cup: "∪", cap: "∩", pm: "±", mp: "∓",
  dfrac: "\\frac", tfrac: "\\frac", cfrac: "\\frac", dbinom: "\\binom", tbinom: "\\binom", binomial: "\\binom", choose: "\\choose",
  lbrace: "\\{", rbrace: "\\}", "{": "\\{", "}": "\\}", "%": "%", "&": "&", "#": "#", "$": "\\dollar", lbrack: "[", rbrack: "]",
  vert: "|", lvert: "|", rvert: "|", mid: "|", "|": "‖", Vert: "‖", lVert: "‖", rVert: "‖", colon: ":", comma: ",", prime: "'",
  varnothing: "\\emptyset", R: "\\mathbb{R}", reals: "\\mathbb{R}", Re: "\\Re", backslash: "\\setminus", degree: "\\degree",
  Rightarrow: "\\implies", Longrightarrow: "\\implies", iff: "\\implies", Leftrightarrow: "\\implies", rightarrow: "\\to", longrightarrow: "\\to",
  land: "∧", wedge: "∧", lor: "∨", vee: "∨", leqq: "≤", geqq: "≥", varphi: "\\phi", varepsilon: "\\epsilon", vartheta: "\\theta", infinity: "\\infty",
  asin: "\\arcsin", acos: "\\arccos", atan: "\\arctan", arsinh: "\\arcsinh", arcosh: "\\arccosh", artanh: "\\arctanh", cosec: "\\csc", ctg: "\\cot", tg: "\\tan",
  dots: "\\ldots", cdots: "\\ldots", dotsc: "\\ldots", dotsb: "\\ldots",
  overline: "\\bar", widehat: "\\hat", widetilde: "\\tilde", overrightarrow: "\\vec", bmod: "\\mod",
  euro: "\\euro", pounds: "\\pound",
}));

/** Commands that change the looks only. */
export const IGNORED: ReadonlySet<string> = new Set([
  ..."left right mleft mright big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr middle displaystyle textstyle scriptstyle limits nolimits quad qquad".split(" "),
  ..."hline allowbreak nobreak thinspace negthinspace enspace strut mathstrut hspace vspace ensuremath large Large tiny small rm bf it cal tt sf nonumber notag newline".split(" "),
  ",", ";", ":", "!", " ", "\n", "/", "(", ")", "[", "]",
]);

/** Commands whose argument is words. */
export const TEXT_COMMANDS: ReadonlySet<string> = new Set(
  "text mbox textrm textbf textit textsf texttt textnormal mathrm operatorname hbox emph mathsf mathtt mathop".split(" "),
);

/** Commands that stand for their argument. */
export const UNWRAPPED: ReadonlySet<string> = new Set("boxed fbox mathbf boldsymbol bm pmb mathit mathcal mathfrak mathscr underline phantom cancel ensuremath mathnormal color textcolor".split(" "));

/** Where the ten digits of a script begin: Arabic, Persian, Devanagari, Bengali, Thai, fullwidth. */
const ZEROS = [0x06_60, 0x06_f0, 0x09_66, 0x09_e6, 0x0e_50, 0xff_10];

/** The text with the digits of other scripts, and the Arabic decimal point and percent sign, in ASCII. */
export function asciiDigits(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  return text.replace(/[٠-٩۰-۹०-९০-৯๐-๙０-９٫٬٪]/g, (character) => {
    if (character === "٫") return ".";
    if (character === "٬") return ",";
    if (character === "٪") return "%";
    const code = character.charCodeAt(0);
    const zero = ZEROS.find((start) => code >= start && code < start + 10)!;
    return String(code - zero);
  });
}
