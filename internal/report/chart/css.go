package chart

// CSS gives the classes of all drawings their colours, from variables that the page
// sets for each theme: --ink, --dim, --line, --paper, --track, --now, --ref, --old,
// --alt, --over and --on, which is written on --now.
const CSS = `
svg text{font-size:11px;fill:var(--ink);font-family:inherit}
svg .tick,svg .dim{fill:var(--dim)}
svg .grid{stroke:var(--line);stroke-width:1}
svg .axis{stroke:var(--dim);stroke-width:1}
svg .chance{stroke:var(--dim);stroke-width:1;stroke-dasharray:2 3}
svg .bound{stroke:var(--over);stroke-width:1.2;stroke-dasharray:4 3}
svg .beyond{fill:var(--over);opacity:.1}
svg .track{fill:var(--track)}
svg .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
svg .line.thin{stroke-width:1.4}
svg .line.hair{stroke-width:1}
svg .line.now{stroke:var(--now)}
svg .line.ref{stroke:var(--ink);stroke-dasharray:4 2.5}svg .line.hair.ref{stroke-dasharray:none}
svg .line.old{stroke:var(--old);stroke-dasharray:1 3.2}
svg .line.alt{stroke:var(--alt)}
svg .area.now{fill:var(--now)}svg .area.ref{fill:var(--ref)}svg .area.old{fill:var(--old)}svg .area.alt{fill:var(--alt)}svg .area.over{fill:var(--over)}
svg .fill.now{fill:var(--now);opacity:.3}svg .fill.alt{fill:var(--alt);opacity:.3}svg .fill.ref{fill:var(--ref);opacity:.3}
svg .band{opacity:.18;stroke:none}
svg .band.now{fill:var(--now)}svg .band.ref{fill:var(--ref)}svg .band.old{fill:var(--old)}svg .band.alt{fill:var(--alt)}
svg .whisker{fill:none;stroke-width:1.8;stroke-linecap:round}
svg .whisker.now{stroke:var(--now)}svg .whisker.ref{stroke:var(--ref)}svg .whisker.old{stroke:var(--old)}svg .whisker.alt{stroke:var(--alt)}svg .whisker.over{stroke:var(--over)}
svg .dot{stroke:var(--paper);stroke-width:1.2}
svg .dot.now{fill:var(--now)}svg .dot.ref{fill:var(--ref)}svg .dot.old{fill:var(--old)}svg .dot.alt{fill:var(--alt)}svg .dot.over{fill:var(--over)}
svg .on{fill:var(--on)}
svg .shade0{fill:var(--track)}svg .shade1{fill:var(--now);opacity:.16}svg .shade2{fill:var(--now);opacity:.32}svg .shade3{fill:var(--now);opacity:.5}svg .shade4{fill:var(--now);opacity:.72}svg .shade5{fill:var(--now)}
svg .on4,svg .on5{fill:var(--on)}
`
