#include "eval/report/style.h"

namespace lichen::eval {

std::string_view plot_style() {
  return R"(:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1b211d; --muted: #5c675f; --faint: #e4e8e4; --tint: 46 125 91;
  --plan: #23805a; --small: #b66a00; --large: #7a47c2; --length: #1f6fb8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #171b18; --ink: #e7ece8; --muted: #9ba79f; --faint: #2c342e; --tint: 92 199 150;
    --plan: #5cc796; --small: #e8a33d; --large: #b694f5; --length: #6db3f2;
  }
}
svg text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--ink); }
.paper { fill: var(--paper); }
.grid { stroke: var(--faint); }
.axis { stroke: var(--muted); }
svg .tick, svg .axis-title { fill: var(--muted); }
svg .name { font-weight: 600; paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.leader { stroke: var(--muted); stroke-width: .8; }
.frontier { fill: none; stroke: var(--plan); stroke-width: 2; stroke-opacity: .45; }
.whisker { stroke-width: 1.2; stroke-opacity: .55; }
.dot { stroke: var(--paper); stroke-width: 1.5; }
.dot.plan { fill: var(--plan); } .whisker.plan { stroke: var(--plan); }
.dot.small { fill: var(--small); } .whisker.small { stroke: var(--small); }
.dot.large { fill: var(--large); } .whisker.large { stroke: var(--large); }
.curve { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.curve.router { stroke: var(--plan); stroke-width: 2.6; }
.curve.length { stroke: var(--length); }
.curve.random { stroke: var(--muted); stroke-dasharray: 5 4; }
.curve.oracle { stroke: var(--large); stroke-dasharray: 2 3; }
)";
}

std::string_view page_style() {
  return R"(* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1240px; margin: 0 auto; padding: 28px 24px 56px; }
header p { margin: 0; }
.eyebrow { color: var(--muted); font-size: 13px; }
h1 { margin: 6px 0 0; font-size: 24px; line-height: 1.3; font-weight: 650; max-width: 62ch; text-wrap: pretty; }
h2 { margin: 44px 0 4px; font-size: 18px; font-weight: 650; }
h3 { margin: 22px 0 2px; font-size: 15px; font-weight: 650; }
p { margin: 4px 0 10px; max-width: 80ch; }
.note { color: var(--muted); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 22px 0 0; padding: 0; }
.tiles div { border: 1px solid var(--faint); border-radius: 10px; padding: 12px 14px; }
.tiles dt { color: var(--muted); font-size: 13px; }
.tiles dd { margin: 0; font-size: 24px; font-weight: 650; line-height: 1.3; }
.tiles dd small { display: block; font-size: 13px; font-weight: 400; color: var(--muted); }
.scroll { overflow-x: auto; margin: 10px 0; border: 1px solid var(--faint); border-radius: 10px; }
table { border-collapse: separate; border-spacing: 0; width: 100%; }
th, td { padding: 7px 11px; text-align: right; }
td { white-space: nowrap; }
th { color: var(--muted); font-size: 13px; font-weight: 500; vertical-align: bottom; }
tbody td { border-top: 1px solid var(--faint); }
tr > :first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
tbody tr > :first-child { color: var(--ink); font-size: 15px; font-weight: 600; }
td small { color: var(--muted); font-size: 12.5px; }
table.parts td, table.parts th { padding-top: 4px; padding-bottom: 4px; }
table.parts th:nth-child(n+3) { text-align: center; }
td.heat { text-align: center; min-width: 4.2em; border-left: 2px solid var(--paper); background: rgb(var(--tint) / calc(var(--q) * .55)); }
.kind { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 8px; background: var(--plan); }
.kind.small { background: var(--small); } .kind.large { background: var(--large); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 20px 28px; }
.plots > * { min-width: 0; }
figure { margin: 8px 0 0; }
figure svg { display: block; width: 100%; max-width: 620px; height: auto; }
.key { display: inline-block; width: 22px; margin-right: 8px; vertical-align: middle; border-top: 2px solid; }
.key.router { border-top: 3px solid var(--plan); } .key.length { border-color: var(--length); }
.key.random { border-top: 2px dashed var(--muted); } .key.oracle { border-top: 2px dotted var(--large); }
dl.origin { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 10px 0; }
dl.origin dt { color: var(--muted); } dl.origin dd { margin: 0; overflow-wrap: anywhere; }
code { font: 13px ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
details summary { cursor: pointer; color: var(--muted); }
@media (max-width: 560px) {
  main { padding: 18px 14px 40px; }
  h1 { font-size: 20px; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 8px; } .tiles dd { font-size: 20px; }
  th, td { padding: 6px 9px; }
  dl.origin { grid-template-columns: 1fr; gap: 0; } dl.origin dd { margin-bottom: 8px; }
}
@media print { .scroll { overflow: visible; } }
)";
}

}  // namespace lichen::eval
