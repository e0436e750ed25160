package retailer

import "slices"

// A Fault is an accident of the supplier, to be had on request.
type Fault string

// The accidents that the story tells, and none.
const (
	NoFault       Fault = ""
	BadRows       Fault = "bad-rows"       // 0.4 % of the rows break the contract, each in one of five ways
	MissingColumn Fault = "missing-column" // visits_30d, which the model needs, is not there
	Cents         Fault = "cents"          // basket_value comes in cents instead of euros
	Tracker       Fault = "tracker"        // the tracker is off: items_viewed is 0 and days_since_visit 365
)

// badShare is the share of bad rows under [BadRows].
const badShare = 0.004

// lostColumn is the column that [MissingColumn] loses.
const lostColumn = "visits_30d"

// columnsOf returns the columns that a delivery with the fault has.
func columnsOf(f Fault) []column {
	columns := slices.Clone(features)
	switch f {
	case MissingColumn:
		return slices.DeleteFunc(columns, func(c column) bool { return c.name == lostColumn })
	case BadRows:
		i := slices.IndexFunc(columns, func(c column) bool { return c.name == "region" })
		columns[i].labels = append(slices.Clone(regions), "X99")
	}
	return columns
}

// damage does to a row what the fault does.
func (w World) damage(c *customer, m int, f Fault) {
	switch f {
	case Cents:
		c.basket *= 100
	case Tracker:
		c.itemsViewed, c.daysSinceVisit = 0, 365
	case BadRows:
		if w.bad(c, m) {
			w.spoil(c, m)
		}
	}
}

// bad reports whether a row is among the bad ones of its month.
func (w World) bad(c *customer, m int) bool {
	_, monthly := w.about(c, m)
	return monthly.chance(drawBad, badShare)
}

// spoil breaks one value of a row.
func (w World) spoil(c *customer, m int) {
	_, monthly := w.about(c, m)
	switch int(5 * monthly.uniform(drawBadKind)) {
	case 0:
		c.basket, c.orders = -c.basket, max(c.orders, 1)
	case 1:
		c.nameless = true
	case 2:
		c.region = unknownRegion
	case 3:
		c.age, c.ageUnknown = c.age+1000, false
	case 4:
		c.returnRate += 1
	}
}
