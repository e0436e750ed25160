package contract

import (
	"strconv"
	"time"
)

// labels compares when labels are known, and what it means that there is none. Whoever
// judges or learns by labels consumes them: another window is another question.
func (d *differ) labels() {
	was, is := d.a.Labels, d.b.Labels
	switch {
	case was == nil && is == nil:
		return
	case was == nil:
		d.add(Change{Producer: Documentation, Consumer: Compatible}, "it is said now when labels are known: an outcome counts for %s, and may arrive %s after", spanText(is.Window), spanText(is.Settlement))
		return
	case is == nil:
		d.add(Change{Producer: Documentation, Consumer: Breaking}, "it is no longer said when labels are known")
		return
	}
	if was.Window != is.Window {
		d.add(Change{Producer: Breaking, Consumer: Breaking}, "the window in which an outcome counts changes from %s to %s", spanText(was.Window), spanText(is.Window))
	}
	if was.Settlement != is.Settlement {
		c := Change{Producer: Compatible, Consumer: Compatible}
		if is.Settlement < was.Settlement {
			c.Producer = Breaking
		}
		d.add(c, "labels may arrive %s after the window, and %s before this", spanText(is.Settlement), spanText(was.Settlement))
	}
	if was.Negative != is.Negative {
		d.add(Change{Producer: Breaking, Consumer: Breaking}, "a missing label changes from %s to %s", absence(was), absence(is))
	}
	if was.Marker != is.Marker {
		c := Change{Producer: Breaking, Consumer: Compatible}
		if is.Marker == "" {
			c = Change{Producer: Compatible, Consumer: Breaking}
		}
		d.add(c, "the marker that labels are complete changes from %s to %s", orNothing(was.Marker), orNothing(is.Marker))
	}
}

func absence(l *LabelPolicy) string {
	if l.Negative {
		return absenceNegative
	}
	return absenceUnknown
}

// spanText writes a time as the contract does: in its largest whole unit.
func spanText(d time.Duration) string {
	for _, unit := range []string{"d", "h", "m"} {
		if of := labelUnits[unit]; d != 0 && d%of == 0 {
			return strconv.FormatInt(int64(d/of), 10) + unit
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}

// available compares which column says when a value was known.
func (d *differ) available(was, is Column) {
	if (was.Available == "") == (is.Available == "") && d.renamed[was.Available] == is.Available {
		return
	}
	d.add(Change{Column: was.Name, Producer: Documentation, Consumer: Compatible}, "availableAt of %s changes from %s to %s", was.Name, orNothing(was.Available), orNothing(is.Available))
}
