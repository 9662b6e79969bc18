import { describe, expect, it } from "vitest";
import { sameAnswer } from "./grader.ts";

type Pairs = readonly (readonly [string, string])[];

const EQUAL: Readonly<Record<string, Pairs>> = {
  numbers: [
    ["\\frac{1}{2}", "0.5"], ["7 3/4", "7.75"], ["-3\\frac12", "-\\frac72"], ["1{,}234{,}567", "1234567"], ["12,\\!000", "12000"],
    ["1.76\\times10^{-10}", "1.76 \\cdot 10^{-10}"], ["2^{100}", "1267650600228229401496703205376"], ["204_5", "54"], [".5", "0.50"],
    ["-\\frac{-3}{4}", "0.75"], ["0.\\overline{3}", "\\frac13"], ["5!", "120"], ["\\gcd(12, 18)", "6"], ["2E5", "200000"], ["5\\text{ million}", "5000000"],
    ["3{,}14", "3.14"], ["0{,}125", "\\frac18"], ["2**10", "1024"], ["**28**", "28"], ["2^6 3^5", "2^6\\cdot3^5"], ["\\Gamma(5)", "24"], ["\\Gamma(\\frac12)", "\\sqrt\\pi"],
  ],
  algebra: [
    ["(x+1)^2", "x^2+2x+1"], ["\\frac{x^2-1}{x-1}", "x+1"], ["\\frac{a+b}{2}", "\\frac12(a+b)"], ["2^{n+1}", "2\\cdot 2^n"],
    ["\\frac{n!}{(n-1)!}", "n"], ["\\binom n2", "\\frac{n(n-1)}{2}"], ["x\\sqrt x", "x^{3/2}"], ["\\sqrt{x^2}", "|x|"], ["x_1+x_2", "x_{2}+x_{1}"], ["\\gcd(a,b)", "\\gcd(b,a)"], ["\\overline{z}", "\\bar z"], ["17 \\bmod 5", "2"],
  ],
  roots: [["\\sqrt{8}", "2\\sqrt2"], ["\\frac{1}{\\sqrt3}", "\\frac{\\sqrt3}{3}"], ["\\sqrt{5+2\\sqrt6}", "\\sqrt2+\\sqrt3"], ["\\sqrt[3]{-8}", "-2"], ["\\root 3 \\of {27}", "3"], ["\\root{4}{16}", "2"]],
  "logarithms and trigonometry": [
    ["\\log_2 8", "3"], ["\\ln 8", "3\\ln 2"], ["\\cos 2x", "2\\cos^2 x-1"], ["\\tan^2 y+1", "\\sec^2(y)"], ["\\arctan 1", "\\frac\\pi4"], ["e^{i\\pi}", "-1"],
  ],
  "sums and integrals": [["\\sum_{k=1}^{10} k", "55"], ["\\sum_{k=1}^n k^2", "\\sum_{j=1}^n j^2"], ["\\int_0^1 x^2\\,dx", "\\int_0^1 t^2 dt"]],
  "lists, sets and tuples": [
    ["1, 2 \\text{ and } 3", "3,2,1"], ["\\{1,2,2\\}", "\\{2,1\\}"], ["(1,2),(3,4)", "(3,4) \\text{ or } (1,2)"], ["\\{1\\}\\cup\\{2\\}", "\\{1,2\\}"],
    ["2\\pm\\sqrt3", "2-\\sqrt3, 2+\\sqrt3"], ["\\emptyset", "\\{\\}"], ["\\langle 1,2\\rangle", "(1,2)"], ["(0;1)", "(0,1)"],
    ["0,1", "1, 0"], ["p=5,q=2;p=7,q=2", "(p,q)=(7,2),(5,2)"], ["x=1,y=2 \\text{ or } x=3,y=4", "(1,2),(3,4)"], ["\\pmx", "\\pm x"],
  ],
  intervals: [
    ["x\\le 3", "(-\\infty,3]"], ["2x+1>3", "x>1"], ["3\\le x<5", "5>x\\ge 3"], ["|x|<3", "(-3,3)"], ["x\\ne 2", "(-\\infty,2)\\cup(2,\\infty)"],
    ["[0,2]\\cup[1,3]", "[0,3]"], ["\\{x \\mid x>3\\}", "(3,\\infty)"], ["x>1, x<3", "1<x<3"], ["\\mathbb{R}\\setminus\\{2\\}", "x\\ne2"], ["\\mathbb R", "(-\\infty,\\infty)"],
    ["x<1 \\text{ or } x>3", "(-\\infty,1)\\cup(3,\\infty)"], ["x>1 \\wedge x<3", "(1,3)"], ["x<0, 1<x<2, \\text{ or } x>3", "(-\\infty,0)\\cup(1,2)\\cup(3,\\infty)"], ["x<1 \\vee 3<x", "x<1, x>3"], ["x>1 \\text{ or } x<3", "\\mathbb R"], ["4\\ne x", "x\\ne 4"], ["a<x<b", "x\\in(a,b)"], ["x=/=2", "x\\ne2"],
  ],
  equations: [
    ["2x+4y-3=0", "y=-\\frac12x+\\frac34"], ["x^2=4", "(x-2)(x+2)=0"], ["x=5+6=11", "x=11"], ["k=1", "1"], ["x+y=1 \\text{ or } x-y=2", "x-y=2 \\text{ or } x+y=1"], ["(x,y)=(3,4)", "x=3,\\ y=4"], ["(x,y)=(3,4)", "(3,4)"], ["-x>-1", "x<1"], ["x\\approx 11", "11"], ["35+70=105", "105"],
  ],
  matrices: [
    ["2\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix} - \\begin{pmatrix}1&0\\\\0&1\\end{pmatrix}", "\\left[\\begin{matrix}1&4\\\\6&7\\end{matrix}\\right]"],
    ["\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}\\cdot\\begin{pmatrix}x\\\\y\\end{pmatrix}", "\\begin{pmatrix}x+2y\\\\3x+4y\\end{pmatrix}"],
    ["\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}^{-1}", "\\begin{pmatrix}-2&1\\\\\\frac32&-\\frac12\\end{pmatrix}"],
    ["\\begin{pmatrix}1&1\\\\0&1\\end{pmatrix}^3", "\\begin{pmatrix}1&3\\\\0&1\\end{pmatrix}"],
    ["\\begin{pmatrix}1&2\\end{pmatrix}^T", "\\begin{pmatrix}1\\\\2\\end{pmatrix}"],
    ["\\begin{vmatrix}a&b\\\\c&d\\end{vmatrix}", "ad-bc"],
    ["\\frac12\\begin{pmatrix}2\\\\4\\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}"],
    ["\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\begin{bmatrix} 1 & 2 \\\\ 3 & \\frac{8}{2} \\\\ \\end{bmatrix}"],
  ],
  "units and words": [
    ["9.8\\ \\mathrm{m/s^2}", "9.8"], ["15\\mbox{ cm}^2", "15 square centimeters"], ["60\\text{ mph}", "60\\text{ miles per hour}"], ["\\$2.50", "2.5"], ["28\\%", "28 percent"], ["\\text{Monday}", "monday."],
    ["\\textbf{(B)}", "B"], ["odd", "\\text{odd}"], ["\\text{odd, even, or odd}", "odd, odd, even"], ["π", "\\pi"], ["cm", "\\mathrm{cm}"], ["4 apples", "4"], ["28 dozens of eggs", "28"], ["100 thousand", "100000"], ["\\frac12\\$ = 0.5\\$", "0.5"], ["Monday and Tuesday", "Tuesday, Monday"], ["no solution", "\\text{No solution}"], ["2:4", "1:2"],
  ],
};

const DIFFERENT: Readonly<Record<string, Pairs>> = {
  numbers: [["5", "5.001"], ["7 3/4", "73/4"], ["0.1", "0.10001"], ["2^{100}", "2^{100}+1"], ["\\frac{1}{2^{99}}", "\\frac{1}{2^{98}}"], ["204_5", "204"], ["5\\text{ million}", "5"], ["\\text{at least }5", "5"], ["3{,}14", "314"], ["5*2", "25"], ["\\Gamma(5)", "120"]],
  "huge and tiny numbers": [["\\frac1{2004!}", "\\frac1{2006!}"], ["9^{9^9}", "9^{9^9}+1"], ["10^{-10^{10}}", "0"], ["e^{100}", "e^{100}+1"], ["\\frac10", "\\frac20"]],
  algebra: [["x^2-1", "(x-1)^2"], ["\\frac n2", "\\frac N2"], ["|x|", "x"], ["\\sin 2x", "2\\sin x"], ["(1+x)^{1000}", "(1+x)^{1000}+1"], ["\\lfloor\\frac m2\\rfloor", "0"], ["f(x+y)", "f(x)+f(y)"], ["\\lceil x\\rceil", "\\lfloor x\\rfloor+1"], ["\\lfloor\\frac{x}{20}\\rfloor", "\\lfloor\\frac{x}{21}\\rfloor"], ["p\\land q", "p\\lor q"], ["\\gcd(a,b)", "\\gcd(a,c)"], ["x+y", "x"]],
  "lists, sets and tuples": [["(1,2)", "(2,1)"], ["(1,2)", "[1,2]"], ["1,2,2", "1,2"], ["\\{\\emptyset\\}", "\\emptyset"], ["\\pm3", "3"], ["(3,1)", "{1,3}"], ["1,2,\\ldots", "1,3,\\ldots"], ["1, 2, ...", "1, 2"], ["ABC", "abc"]],
  intervals: [["x>1", "x\\ge1"], ["(0,1)", "(0,1]"], ["x<3", "x>3"], ["x>1 \\text{ or } x<3", "1<x<3"], ["x>1 \\lor x<3", "x>1 \\land x<3"], ["a<x<b", "a<x\\le b"], ["x+y>1 \\text{ or } x<y", "x+y>1, x<y"], ["[0,1]\\cup[2,3]", "[0,3]"], ["[5,2)", "\\emptyset"]],
  equations: [["x=3", "y=3"], ["x=3", "\\emptyset"], ["(x,y)=(3,4)", "x=4,\\ y=3"], ["x+y=1", "1"], ["3x-y+13=0", "3x+4y+14=0"], ["x<y", "x>y"], ["0=0", "1=1"], ["x=x+1", "y=y+2"], ["p=5,q=2;p=7,q=2", "(5,7),(2,2)"], ["y=/=x", "y=x"]],
  matrices: [["\\begin{pmatrix}1&2\\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}"], ["\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\begin{pmatrix}1&2\\\\3&5\\end{pmatrix}"]],
  "units and words": [["10\\text{ m}", "10\\text{ cm}"], ["12:00", "1:00"], ["A", "B"], ["Monday", "Tuesday"], ["4 apples", "5"], ["4 apples", "4 pears"], ["3 squared", "3"], ["4 halves", "4"], ["5 feet 3 inches", "5"], ["15\\text{ cm}", "15\\text{ cm}^2"]],
  "nothing at all": [["\\$", "$$"], ["", ""], ["\\text{ }", "{}"]],
};

describe.each(Object.entries(EQUAL))("equal %s", (_, pairs) => {
  it.each(pairs)("%s and %s", (left, right) => {
    expect([sameAnswer(left, right), sameAnswer(right, left)]).toEqual([true, true]);
  });
});

describe.each(Object.entries(DIFFERENT))("different %s", (_, pairs) => {
  it.each(pairs)("%s and %s", (left, right) => {
    expect([sameAnswer(left, right), sameAnswer(right, left)]).toEqual([false, false]);
  });
});
