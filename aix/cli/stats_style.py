"""How the page of `aix stats --html` looks."""

STYLE = """
:root { --text: #1d2129; --soft: #5a6372; --page: #f5f6f8; --card: #fff; --line: #dfe2e8;
  --s0: #2f6bd0; --s1: #d9822b; --s2: #2b9a6b; --s3: #8a55c9; --s4: #c9486f; --s5: #7d8796; }
@media (prefers-color-scheme: dark) {
  :root { --text: #dde1e8; --soft: #99a2b2; --page: #14171c; --card: #1e222a; --line: #333945;
    --s0: #6ea3ff; --s1: #f0a450; --s2: #4fc48f; --s3: #b48af0; --s4: #f07a9c; --s5: #8d97a7; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 0 1rem 2rem; color: var(--text); background: var(--page);
  font: 16px/1.5 system-ui, sans-serif; }
main, footer { max-width: 76rem; margin: 0 auto; }
h1 { margin: 2rem 0 0; font-size: 1.8rem; line-height: 1.2; }
h2 { margin: 0 0 .6rem; font-size: 1.05rem; }
.time, footer { color: var(--soft); overflow-wrap: anywhere; }
footer { margin-top: 2rem; font-size: .9rem; }
footer p { margin: .2rem 0; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .8rem; margin: 1.5rem 0 .8rem; }
dl div, figure, section { padding: .9rem 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; }
dt, .more { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.5rem; font-weight: 600; line-height: 1.3; }
dd.more { font-weight: 400; font-size: .85rem; min-height: 1.3em; }
.charts { display: grid; gap: .8rem; }
figure { margin: 0; min-width: 0; }
figure p { color: var(--soft); margin: 0; }
section { margin-top: .8rem; }
.chart { display: block; width: calc(100% - 4.6rem); margin: .9rem 1rem 0 3.6rem; overflow: visible; }
.chart text { fill: var(--soft); font-size: 12px; }
.side { text-anchor: end; }
.below { text-anchor: middle; }
.grid { stroke: var(--line); shape-rendering: crispEdges; }
.hit { fill: transparent; }
g:hover .hit { fill: var(--text); fill-opacity: .08; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 0; padding: 0; list-style: none;
  font-size: .88rem; overflow-wrap: anywhere; }
.swatch { width: .8rem; height: .8rem; margin-right: .4rem; vertical-align: -1px; border-radius: 2px; }
.s0 { fill: var(--s0); } .s1 { fill: var(--s1); } .s2 { fill: var(--s2); }
.s3 { fill: var(--s3); } .s4 { fill: var(--s4); } .s5 { fill: var(--s5); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; width: 100%; }
th, td { padding: .3rem .7rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--line);
  font-variant-numeric: tabular-nums; }
thead th, thead td { border: 0; color: var(--soft); font-weight: 500; }
th[scope=row] { text-align: left; font-weight: 400; padding-left: 0; white-space: normal; overflow-wrap: anywhere;
  min-width: 8rem; max-width: 26rem; }
tfoot th, tfoot td, tfoot th[scope=row] { border-top: 2px solid var(--line); font-weight: 600; }
@media (min-width: 60rem) {
  .charts { grid-template-columns: 1fr 1fr; }
  .charts figure:first-child { grid-column: 1 / -1; }
}
@media print { body { background: none; } figure, section { break-inside: avoid; } }
"""
