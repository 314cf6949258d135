r"""LaTeX's names of mathematical symbols and what Typst is given for them.

A symbol is written as its Unicode character, as the `unicode-math` package names it; Typst takes
the spacing (relation, binary, opening, …) from the character's Unicode class. The tables are grouped
by that class, because scripts behave differently on a relation and on a large operator.
"""


def _table(text: str) -> dict[str, str]:
    """Read alternating names and characters."""
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


ORDINARY = _table("""
    alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ
    lambda λ mu μ nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ
    phi ϕ varphi φ chi χ psi ψ omega ω digamma ϝ varkappa ϰ
    Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
    partial ∂ nabla ∇ infty ∞ forall ∀ exists ∃ nexists ∄ emptyset ∅ varnothing ∅ neg ¬ lnot ¬ ell ℓ hbar ℏ
    Re ℜ Im ℑ aleph ℵ beth ℶ wp ℘ imath ı jmath ȷ top ⊤ bot ⊥ angle ∠ square □ Box □ blacksquare ■ triangle △
    diamond ⋄ Diamond ◇ lozenge ◊ bigstar ★ checkmark ✓ complement ∁ prime ′ backprime ‵ degree ° surd √
    flat ♭ natural ♮ sharp ♯ clubsuit ♣ diamondsuit ♢ heartsuit ♡ spadesuit ♠ dag † ddag ‡ S § P ¶
    ldots … cdots ⋯ vdots ⋮ ddots ⋱ dotsc … dotso … dotsb ⋯ dotsm ⋯ dotsi ⋯ therefore ∴ because ∵
    qed □ QED □ blacktriangle ▲ triangledown ▽ measuredangle ∡ eth ð mho ℧
    varGamma 𝛤 varDelta 𝛥 varTheta 𝛩 varLambda 𝛬 varXi 𝛯 varPi 𝛱 varSigma 𝛴 varPhi 𝛷 varPsi 𝛹 varOmega 𝛺
    Alpha Α Beta Β Epsilon Ε Zeta Ζ Eta Η Iota Ι Kappa Κ Mu Μ Nu Ν Omicron Ο Rho Ρ Tau Τ Chi Χ varUpsilon 𝛶
    gimel ℷ daleth ℸ hslash ℏ Finv Ⅎ Game ⅁ copyright © circledR ® circledS Ⓢ maltese ✠ yen ¥ pounds £
    mathsterling £ euro € blacklozenge ⧫ diagdown ╲ diagup ╱ sphericalangle ∢ vartriangle △ blacktriangledown ▼
    lq ‘ rq ’ mathellipsis … iddots ⋰ minuso ⦵ cdotp · ldotp .
    alef ℵ alefsym ℵ thetasym ϑ infin ∞ empty ∅ exist ∃ weierp ℘ image ℑ real ℜ clubs ♣ diamonds ♢ hearts ♡
    spades ♠ sect § And &
""")

BINARY = _table("""
    times × cdot ⋅ pm ± mp ∓ div ÷ ast ∗ star ⋆ circ ∘ bullet ∙ dagger † ddagger ‡ odot ⊙ otimes ⊗ oplus ⊕
    ominus ⊖ oslash ⊘ circledast ⊛ circledcirc ⊚ boxtimes ⊠ boxplus ⊞ cup ∪ cap ∩ uplus ⊎ sqcup ⊔ sqcap ⊓
    setminus ∖ smallsetminus ∖ land ∧ wedge ∧ lor ∨ vee ∨ veebar ⊻ barwedge ⊼ wr ≀ amalg ⨿ ltimes ⋉ rtimes ⋊
    bowtie ⋈ triangleleft ◁ triangleright ▷ bigcirc ◯ intercal ⊺ dotplus ∔ centerdot ⋅
    Cap ⋒ doublecap ⋒ Cup ⋓ doublecup ⋓ boxdot ⊡ boxminus ⊟ circleddash ⊝ curlyvee ⋎ curlywedge ⋏ divideontimes ⋇
    doublebarwedge ⩞ leftthreetimes ⋋ rightthreetimes ⋌ bigtriangledown ▽ bigtriangleup △ sdot ⋅ plusmn ± bull ∙
""")

RELATIONS = _table("""
    le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ lt < gt > leqslant ⩽ geqslant ⩾ leqq ≦ geqq ≧ ll ≪ gg ≫ lll ⋘ ggg ⋙
    approx ≈ approxeq ≊ equiv ≡ sim ∼ simeq ≃ cong ≅ propto ∝ varpropto ∝ asymp ≍ doteq ≐ thicksim ∼
    prec ≺ succ ≻ preceq ⪯ succeq ⪰ preccurlyeq ≼ succcurlyeq ≽ precsim ≾ succsim ≿ lesssim ≲ gtrsim ≳
    triangleq ≜ coloneqq ≔ coloneq ≔ eqqcolon ≕ defeq ≝ eqdef ≝ in ∈ ni ∋ notin ∉ subset ⊂ subseteq ⊆
    subsetneq ⊊ supset ⊃ supseteq ⊇ supsetneq ⊋ sqsubseteq ⊑ sqsupseteq ⊒ nsubseteq ⊈ mid ∣ nmid ∤ parallel ∥
    nparallel ∦ perp ⟂ indep ⫫ Perp ⫫ vdash ⊢ dashv ⊣ models ⊨ vDash ⊨ Vdash ⊩ nvdash ⊬ nvDash ⊭ nVdash ⊮ nleq ≰
    ngeq ≱ nless ≮ ngtr ≯ nsim ≁ ncong ≇ smile ⌣ frown ⌢ between ≬ trianglelefteq ⊴ trianglerighteq ⊵
    to → rightarrow → leftarrow ← gets ← leftrightarrow ↔ uparrow ↑ downarrow ↓ updownarrow ↕ mapsto ↦
    Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ Uparrow ⇑ Downarrow ⇓ implies ⟹ impliedby ⟸ iff ⟺
    longrightarrow ⟶ longleftarrow ⟵ longleftrightarrow ⟷ Longrightarrow ⟹ Longleftarrow ⟸
    Longleftrightarrow ⟺ longmapsto ⟼ hookrightarrow ↪ hookleftarrow ↩ rightsquigarrow ⇝ leadsto ⇝
    rightleftharpoons ⇌ rightharpoonup ⇀ rightharpoondown ⇁ leftharpoonup ↼ leftharpoondown ↽ nearrow ↗
    searrow ↘ swarrow ↙ nwarrow ↖ nrightarrow ↛ nleftarrow ↚ nRightarrow ⇏ twoheadrightarrow ↠
    rightrightarrows ⇉ leftleftarrows ⇇ rightleftarrows ⇄ circlearrowright ↻ circlearrowleft ↺ multimap ⊸
    lhd ⊲ rhd ⊳ unlhd ⊴ unrhd ⊵ vartriangleleft ⊲ vartriangleright ⊳ blacktriangleleft ◀ blacktriangleright ▶
    backepsilon ∍ backsim ∽ backsimeq ⋍ Bumpeq ≎ bumpeq ≏ circeq ≗ eqcirc ≖ Doteq ≑ doteqdot ≑ fallingdotseq ≒
    risingdotseq ≓ eqsim ≂ curlyeqprec ⋞ curlyeqsucc ⋟ eqslantgtr ⪖ eqslantless ⪕ thickapprox ≈ gggtr ⋙ llless ⋘
    gtrdot ⋗ lessdot ⋖ gtrapprox ⪆ lessapprox ⪅ gtreqless ⋛ lesseqgtr ⋚ gtreqqless ⪌ lesseqqgtr ⪋ gtrless ≷
    lessgtr ≶ gneq ⪈ lneq ⪇ gneqq ≩ lneqq ≨ gvertneqq ≩ lvertneqq ≨ gnsim ⋧ lnsim ⋦ gnapprox ⪊ lnapprox ⪉
    precapprox ⪷ succapprox ⪸ precneqq ⪵ succneqq ⪶ precnsim ⋨ succnsim ⋩ precnapprox ⪹ succnapprox ⪺ nprec ⊀
    nsucc ⊁ npreceq ⋠ nsucceq ⋡ Join ⋈ isin ∈ owns ∋ notni ∌ pitchfork ⋔ shortmid ∣ nshortmid ∤ shortparallel ∥
    nshortparallel ∦ smallfrown ⌢ smallsmile ⌣ sqsubset ⊏ sqsupset ⊐ sub ⊂ sube ⊆ supe ⊇ Subset ⋐ Supset ⋑
    subseteqq ⫅ supseteqq ⫆ subsetneqq ⫋ supsetneqq ⫌ varsubsetneq ⊊ varsupsetneq ⊋ varsubsetneqq ⫋
    varsupsetneqq ⫌ nsupseteq ⊉ ntriangleleft ⋪ ntriangleright ⋫ ntrianglelefteq ⋬ ntrianglerighteq ⋭ Vvdash ⊪
    nVDash ⊯ origof ⊶ imageof ⊷ coloncolon ∷ dblcolon ∷ colonequals ≔ coloncolonequals ⩴ Coloneqq ⩴ Coloneq ⩴
    equalscolon ≕ eqcolon ≕ nLeftarrow ⇍ nLeftrightarrow ⇎ nleftrightarrow ↮ restriction ↾ upharpoonright ↾
    upharpoonleft ↿ downharpoonleft ⇃ downharpoonright ⇂ curvearrowleft ↶ curvearrowright ↷ dashleftarrow ⇠
    dashrightarrow ⇢ downdownarrows ⇊ upuparrows ⇈ leftarrowtail ↢ rightarrowtail ↣ leftrightarrows ⇆
    leftrightharpoons ⇋ leftrightsquigarrow ↭ Lleftarrow ⇚ Rrightarrow ⇛ looparrowleft ↫ looparrowright ↬ Lsh ↰
    Rsh ↱ twoheadleftarrow ↞ Updownarrow ⇕ larr ← rarr → uarr ↑ darr ↓ harr ↔ lrarr ↔ Larr ⇐ lArr ⇐ Rarr ⇒ rArr ⇒
    Uarr ⇑ uArr ⇑ Darr ⇓ dArr ⇓ Harr ⇔ hArr ⇔ Lrarr ⇔ lrArr ⇔
""")

LARGE = _table("""
    sum ∑ prod ∏ coprod ∐ int ∫ iint ∬ iiint ∭ oint ∮ bigcup ⋃ bigcap ⋂ bigsqcup ⨆ biguplus ⨄ bigoplus ⨁
    bigotimes ⨂ bigodot ⨀ bigvee ⋁ bigwedge ⋀ oiint ∯ oiiint ∰ iiiint ⨌ intop ∫ smallint ∫ bigsqcap ⨅
""")

SYMBOLS = ORDINARY | BINARY | RELATIONS | LARGE

# Symbols that Typst has to be told more about than their character.
SPECIAL = {
    "surd": r"\√",  # a bare √ takes what follows under it
    "ldotp": 'class("punctuation", ".")', "cdotp": 'class("punctuation", ·)', "And": 'class("relation", \\&)',
    "colon": r'class("punctuation", \:)', "bmod": 'class("binary", "mod")', "mod": '#h(1em)"mod"#h(0.3333em)',
}
ESCAPED = frozenset({r"\%", r"\#", r"\$", r"\&", r"\_"})

# Delimiters are escaped: Typst would pair and stretch bare ones, which LaTeX does only after \left.
DELIMITERS = {
    "(": r"\(", ")": r"\)", "[": r"\[", "]": r"\]", "|": r"\|", "/": r"\/", "<": r"\⟨", ">": r"\⟩", ".": '""',
    r"\{": r"\{", r"\}": r"\}", r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": r"\[", r"\rbrack": r"\]",
    r"\|": r"\‖", r"\vert": r"\|", r"\Vert": r"\‖", r"\lvert": r"\|", r"\rvert": r"\|", r"\lVert": r"\‖",
    r"\rVert": r"\‖", r"\langle": r"\⟨", r"\rangle": r"\⟩", r"\lfloor": r"\⌊", r"\rfloor": r"\⌋",
    r"\lceil": r"\⌈", r"\rceil": r"\⌉", r"\backslash": r"\\", r"\uparrow": "↑", r"\downarrow": "↓",
    r"\lgroup": r"\⟮", r"\rgroup": r"\⟯", r"\ulcorner": r"\⌜", r"\urcorner": r"\⌝",
    r"\llcorner": r"\⌞", r"\lrcorner": r"\⌟", r"\lBrace": r"\⦃", r"\rBrace": r"\⦄", r"\llbracket": r"\⟦",
    r"\rrbracket": r"\⟧", r"\lmoustache": r"\⎰", r"\rmoustache": r"\⎱", r"\lparen": r"\(", r"\rparen": r"\)",
    r"\lang": r"\⟨", r"\rang": r"\⟩", r"\Uparrow": "⇑", r"\Downarrow": "⇓", r"\updownarrow": "↕",
    r"\Updownarrow": "⇕",
}

OPERATORS = frozenset(
    "log ln lg exp sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan arg deg dim hom ker "
    "cosec tg ctg cotg sh ch th cth arctg arcctg".split())

# Their scripts stand below and above in displayed formulas.
LIMIT_OPERATORS = {name: name for name in ["max", "min", "sup", "inf", "lim", "det", "gcd", "Pr", "plim"]} | {
    "injlim": "inj\u2009lim", "projlim": "proj\u2009lim",
    "limsup": "lim\u2009sup", "liminf": "lim\u2009inf", "argmax": "arg\u2009max", "argmin": "arg\u2009min",
}

# Widths in em; one mu is 1/18 em.
SPACES = {
    r"\,": 3 / 18, r"\thinspace": 3 / 18, r"\:": 4 / 18, r"\>": 4 / 18, r"\medspace": 4 / 18, r"\;": 5 / 18,
    r"\thickspace": 5 / 18, r"\!": -3 / 18, r"\negthinspace": -3 / 18, r"\negmedspace": -4 / 18,
    r"\negthickspace": -5 / 18, r"\ ": 1 / 3, "~": 1 / 3, r"\space": 1 / 3, r"\nobreakspace": 1 / 3,
    r"\enspace": 1 / 2, r"\quad": 1.0, r"\qquad": 2.0, r"\enskip": 1 / 2,
}

# Commands without a mark on the page: they steer numbering and line breaking.
INVISIBLE = frozenset({
    r"\nonumber", r"\notag", r"\allowbreak", r"\nobreak", r"\relax", r"\mathstrut", r"\strut", r"\noindent",
    r"\displaylimits", r"\/", r"\-", r"\protect", r"\null",
})

# An arrow under its argument, as wide as that is.
UNDER = "#context {{{{ let wide = measure(${body}$).width; $limits({body})_(stretch({sign}, size: #wide))$ }}}}"

# What takes no room in its line.
LAP = "#box(width: 0pt, align({}, box(${{}}$)))"

# Commands of one argument.
UNARY = {
    "hat": "hat({})", "widehat": "hat({})", "bar": "macron({})", "overline": "overline({})", "tilde": "tilde({})",
    "widetilde": "tilde({})", "vec": "arrow({})", "overrightarrow": "arrow({})", "overleftarrow": "arrow.l({})",
    "dot": "dot({})", "ddot": "dot.double({})", "dddot": "dot.triple({})", "ddddot": "dot.quad({})",
    "check": "caron({})", "widecheck": "caron({})", "overleftrightarrow": "arrow.l.r({})",
    "Overrightarrow": "limits({})^(⇒)", "overleftharpoon": "harpoon.lt({})", "overrightharpoon": "harpoon({})",
    "utilde": "limits({})_(∼)", "overgroup": "overparen({})", "undergroup": "underparen({})",
    "overparen": "overparen({})", "underparen": "underparen({})", "wideparen": "overparen({})",
    "overlinesegment": "overbracket({})", "underlinesegment": "underbracket({})",
    "underrightarrow": UNDER.format(sign="→", body="{0}"), "underleftarrow": UNDER.format(sign="←", body="{0}"),
    "underleftrightarrow": UNDER.format(sign="↔", body="{0}"),
    "acute": "acute({})", "grave": "grave({})", "breve": "breve({})", "mathring": "circle({})",
    "underline": "underline({})", "underbar": "underline({})", "cancel": "cancel({})",
    "bcancel": "cancel(inverted: #true, {})", "xcancel": "cancel(cross: #true, {})", "phantom": "#hide(${}$)",
    "hphantom": "#hide(${}$)", "vphantom": "#box(width: 0pt, hide(${}$))", "smash": "{}", "vcenter": "{}",
    "mathclap": "{}", "clap": "{}", "mathllap": LAP.format("right"),
    "llap": LAP.format("right"), "mathrlap": LAP.format("left"), "rlap": LAP.format("left"),
    "angl": 'overline({})class("closing", \\|)', "phase": "∠underline({})", "sout": "cancel(angle: #90deg, {})",
    "ensuremath": "{}", "fbox": "#box(stroke: 0.5pt, inset: 3pt, outset: (y: 2pt), ${}$)",
    "mathbb": "bb({})", "mathds": "bb({})", "mathbbm": "bb({})", "Bbb": "bb({})", "mathcal": "cal({})",
    "mathscr": "scr({})", "mathfrak": "frak({})", "frak": "frak({})",
    "boldsymbol": "bold({})", "bm": "bold({})", "pmb": "bold({})", "mathnormal": "{}",
    "mathbin": 'class("binary", {})', "mathrel": 'class("relation", {})', "mathord": 'class("normal", {})',
    "mathinner": 'class("normal", {})', "mathopen": 'class("opening", {})', "mathclose": 'class("closing", {})',
    "mathpunct": 'class("punctuation", {})',
    "boxed": "#box(stroke: 0.5pt, inset: 3pt, outset: (y: 2pt), $display({})$)",
    "pmod": r'#h(1em)\("mod"#h(0.3333em){}\)', "pod": r"#h(1em)\({}\)",
}

# Fonts in which a word is set as a word: \mathrm{KL} is not K times L.
WORD_FONTS = {
    "mathrm": "upright({})", "mathup": "upright({})", "mathbf": "bold(upright({}))", "mathit": "italic({})",
    "mathsf": "sans(upright({}))", "mathtt": "mono({})", "bold": "bold(upright({}))", "symup": "upright({})",
    "symbf": "bold(upright({}))",
}

# Commands of two arguments.
TWO_ARGUMENTS = {
    "frac": "frac({0}, {1})", "dfrac": "display(frac({0}, {1}))", "cfrac": "display(frac({0}, {1}))",
    "tfrac": "inline(frac({0}, {1}))", "nicefrac": 'frac(style: "skewed", {0}, {1})',
    "sfrac": 'frac(style: "skewed", {0}, {1})', "binom": "binom({0}, {1})", "dbinom": "display(binom({0}, {1}))",
    "tbinom": "inline(binom({0}, {1}))", "overset": "limits({1})^({0})", "underset": "limits({1})_({0})",
    "stackrel": 'class("relation", limits({1})^({0}))', "cancelto": "cancel({1})^({0})",
}

# LaTeX's sizes of type beside \normalsize of 10 points.
SIZES = {
    "tiny": 0.5, "sixptsize": 0.6, "scriptsize": 0.7, "footnotesize": 0.8, "small": 0.9, "normalsize": 1, "large": 1.2,
    "Large": 1.44, "LARGE": 1.73, "huge": 2.07, "Huge": 2.49,
}

# Commands that hold until their group ends.
SWITCHES = {
    "displaystyle": "display({})", "textstyle": "inline({})", "scriptstyle": "script({})",
    "scriptscriptstyle": "sscript({})", "rm": "upright({})", "bf": "bold(upright({}))", "it": "italic({})",
    "cal": "cal({})", "sf": "sans(upright({}))", "tt": "mono({})", "mit": "italic({})", "frak": "frak({})",
} | {name: f"#text(size: {size}em, ${{}}$)" for name, size in SIZES.items()}

# \underbrace{body}_{note}: the script on the side named here is the note.
BRACES = {
    "underbrace": "_", "overbrace": "^", "underbracket": "_", "overbracket": "^",
}

# Sizes of \big, \Big, … in em and the class their suffix gives.
BIG_SIZES = {"big": 1.2, "Big": 1.8, "bigg": 2.4, "Bigg": 3.0}
BIG_CLASSES = {"": "normal", "l": "opening", "m": "relation", "r": "closing"}

# Commands whose argument is text.
TEXT_FONTS = {
    "text": None, "textrm": None, "textnormal": None, "mbox": None, "textup": None, "hbox": None,
    "textmd": None, "textsf": None, "textsc": None,
    "textbf": 'weight: "bold"', "textsl": 'style: "italic"', "textit": 'style: "italic"', "emph": 'style: "italic"',
    "texttt": 'font: "DejaVu Sans Mono"',
}

# Arrows as long as what stands over and under them.
LONG_ARROWS = {
    "xrightarrow": "→", "xleftarrow": "←", "xleftrightarrow": "↔", "xRightarrow": "⇒", "xLeftarrow": "⇐",
    "xmapsto": "↦", "xLeftrightarrow": "⇔", "xhookleftarrow": "↩", "xhookrightarrow": "↪", "xlongequal": "=",
    "xleftharpoonup": "↼", "xleftharpoondown": "↽", "xrightharpoonup": "⇀", "xrightharpoondown": "⇁",
    "xleftrightharpoons": "⇋", "xrightleftharpoons": "⇌", "xtofrom": "⇄", "xtwoheadleftarrow": "↞",
    "xtwoheadrightarrow": "↠",
}

# Environments: alignments have relations under each other, the rest are tables.
LINE_ALIGNMENTS = frozenset({"align", "alignat", "gather", "flalign", "eqnarray"})  # LaTeX numbers each of their lines
ALIGNMENTS = LINE_ALIGNMENTS | {"aligned", "split", "alignedat", "gathered", "multline", "multlined"}
WRAPPERS = frozenset({"equation", "displaymath", "math"})
MATRICES = {
    "matrix": "#none", "smallmatrix": "#none", "pmatrix": '"("', "bmatrix": '"["', "Bmatrix": '"{"',
    "vmatrix": '"|"', "Vmatrix": '"‖"',
}
CASES = {"cases": "inline({})", "dcases": "display({})", "rcases": "inline({})", "drcases": "display({})"}
ARRAYS = frozenset({"array", "darray", "subarray"})
ROW_ENDS = ("\\\\", "\\cr", "\\newline", "\\tabularnewline")

# \over and its kin part a whole group: the node's delimiters, and whether there is a bar.
INFIX = {
    "over": ("", "", True), "above": ("", "", True), "atop": ("", "", False), "choose": ("(", ")", False),
    "brace": ("\\{", "\\}", False), "brack": ("[", "]", False),
}
