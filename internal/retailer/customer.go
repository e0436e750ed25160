package retailer

import "math"

// A customer is one row: what the shop knows on the first day of a month, and
// the hidden affinity, which it does not know.
type customer struct {
	slot    int
	joined  int // month index; −1 if before the first month
	partner bool
	asOf    int32 // days since 1970
	z       float64

	tenure, recency, orders, visits             float64
	discountShare, abandoned, returnRate        float64
	basket, age, openRate, daysSinceVisit       float64
	tickets, itemsViewed, distance              float64
	wishlist, couponsUsed, reviews, deliveryDay float64

	region, brand, segment, device, channel, payment, loyalty int
	app, newsletter, consent, ageUnknown, nameless            bool
	birthday                                                  int32
}

// A draw numbers what is drawn. Append only: the numbers are part of the world.
type draw uint64

const (
	drawPartner draw = iota // about (slot)
	drawPhase
	drawTurnover // about (slot, month)
	drawStart    // about (customer)
	drawTenure
	drawDiscountTaste
	drawBirthday1
	drawBirthday2
	drawAgeUnknown
	drawDistance
	drawRegion
	drawBrand
	drawSegment
	drawPayment
	drawLoyalty
	drawApp
	drawNewsletter
	drawConsent
	drawStep // about (customer, month)
	drawRecency
	drawOrders
	drawVisits
	drawDiscount
	drawAbandoned
	drawReturns
	drawBasket
	drawOpenRate
	drawDaysSinceVisit
	drawTickets
	drawItemsViewed
	drawWishlist
	drawCoupons
	drawReviews
	drawDelivery
	drawDevice
	drawChannel
	drawBought
	drawTreated
	drawLate
	drawLateDays
	drawReturned
	drawBad
	drawBadKind
)

const (
	affinityKept  = 0.95   // of z, from month to month
	turnover      = 0.0408 // 1 − e^(−1/24)
	partnerShare  = 0.25
	partnerMonths = 4 // a partner's customer stays this long
)

// affinityStep is √(1 − 0.95²), which keeps the variance of z at 1.
var affinityStep = math.Sqrt(1 - 0.9025)

// about returns the sources of a customer, for all time and for month m.
func (w World) about(c *customer, m int) (always, monthly source) {
	key := uint64(c.slot)<<8 | uint64(c.joined+1)<<1
	if c.partner {
		key |= 1
	}
	return newSource(w.Seed, 1, key), newSource(w.Seed, 2, key, uint64(m))
}

// occupant sets who holds a slot in month m.
func (w World) occupant(c *customer, slot, m int) {
	c.slot, c.joined, c.partner = slot, -1, false
	about := newSource(w.Seed, 3, uint64(slot))
	if !w.Steady && m >= campaignFrom && about.chance(drawPartner, partnerShare) {
		phase := int(about.uniform(drawPhase) * partnerMonths)
		c.partner, c.joined = true, m-(m+phase)%partnerMonths
		return
	}
	for k := m; k > 0; k-- {
		if newSource(w.Seed, 4, uint64(slot), uint64(k)).chance(drawTurnover, turnover) {
			c.joined = k
			return
		}
	}
}

// affinity returns z of month m, walked from the month in which the customer
// joined.
func (w World) affinity(c *customer, always source, m int) float64 {
	z := always.normal(drawStart)
	for k := max(c.joined, 0) + 1; k <= m; k++ {
		z = float64(affinityKept*z) + float64(affinityStep*always.normal(drawStep+draw(k)<<8))
	}
	if c.partner {
		z -= 0.3
	}
	return z
}

// customer fills c with the holder of a slot in month m.
func (w World) customer(c *customer, slot, m int, asOf int32) {
	*c = customer{asOf: asOf}
	w.occupant(c, slot, m)
	always, monthly := w.about(c, m)
	c.z = w.affinity(c, always, m)
	c.traits(always, m)
	c.behaviour(always, monthly)
	c.browsing(monthly)
}

// traits sets what stays with a customer.
func (c *customer) traits(s source, m int) {
	switch {
	case c.joined < 0:
		c.tenure = float64(24*s.exponential(drawTenure)) + float64(m)
	default:
		c.tenure = s.uniform(drawTenure) + float64(m-c.joined)
	}
	c.tenure = round(c.tenure, 100)

	years := 18 + float64(32*(s.uniform(drawBirthday1)+s.uniform(drawBirthday2)))
	c.birthday = firstDay(0) - int32(years*365.25)
	c.age = math.Floor(float64(c.asOf-c.birthday) / 365.25)
	c.ageUnknown = s.chance(drawAgeUnknown, 0.12)
	c.distance = round(exp(2+float64(0.9*s.normal(drawDistance))), 10)

	c.region = int(float64(len(regions)) * s.uniform(drawRegion))
	c.brand = pick(brandShares, s.uniform(drawBrand))
	c.segment = int(float64(len(segments)) * s.uniform(drawSegment))
	c.payment = pick(paymentShares, s.uniform(drawPayment))
	c.loyalty = pick(loyaltyShares, s.uniform(drawLoyalty))
	app := 0.45
	if c.partner {
		app = 0.80
	}
	c.app = s.chance(drawApp, app)
	c.newsletter = s.chance(drawNewsletter, 0.35)
	c.consent = s.chance(drawConsent, 0.70)
}

// behaviour sets what a customer did that says something about the next
// purchase.
func (c *customer) behaviour(always, s source) {
	c.recency = round(min(365, float64(60*s.exponential(drawRecency))*exp(-0.6*c.z)), 10)
	c.orders = math.Floor(exp(0.9 + float64(0.8*c.z) + float64(0.4*s.normal(drawOrders))))
	c.visits = math.Floor(exp(1 + float64(0.6*c.z) + float64(0.7*s.normal(drawVisits))))
	taste := float64(0.9*always.normal(drawDiscountTaste)) + float64(0.43589*s.normal(drawDiscount))
	if c.partner {
		taste += 0.8
	}
	c.discountShare = round(logistic(taste-0.6), 10000)
	c.abandoned = math.Floor(1.2 * s.exponential(drawAbandoned))
	c.returnRate = round(float64(0.4*s.uniform(drawReturns)), 10000)
}

// browsing sets what only looks as if it said something: the logit does not use
// it, though some of it moves with z.
func (c *customer) browsing(s source) {
	c.basket = round(exp(4+float64(0.15*c.z)+float64(0.5*s.normal(drawBasket))), 100)
	c.openRate = round(logistic(float64(0.5*c.z)-1+float64(0.8*s.normal(drawOpenRate))), 1000)
	c.daysSinceVisit = math.Floor(min(365, float64(12*s.exponential(drawDaysSinceVisit))*exp(-0.5*c.z)))
	c.tickets = math.Floor(0.6 * s.exponential(drawTickets))
	c.itemsViewed = math.Floor(c.visits * exp(1.2+float64(0.5*s.normal(drawItemsViewed))))
	c.wishlist = math.Floor(2 * s.exponential(drawWishlist))
	c.couponsUsed = math.Floor(float64(3*c.discountShare) * s.exponential(drawCoupons))
	c.reviews = math.Floor(float64(0.5*s.exponential(drawReviews)) * exp(0.3*c.z))
	c.deliveryDay = 1 + math.Floor(2.5*s.exponential(drawDelivery))
	c.device = pick(deviceShares, s.uniform(drawDevice))
	c.channel = pick(channelShares, s.uniform(drawChannel))
}

// logit is the log odds that a customer without a coupon buys within 30 days of
// month m.
func (w World) logit(c *customer, m int) float64 {
	taste := 3.0
	if !w.Steady && m >= pricesFrom {
		taste = -1.2
	}
	x := -2.55 + seasons[m%12] + segmentEffects[c.segment]
	x -= float64(0.55 * log(1+float64(c.recency/30)))
	x += float64(0.42 * log(1+c.orders))
	x += float64(0.38 * log(1+c.visits))
	x += float64(0.25 * min(c.abandoned, 4))
	x += float64(taste * (c.discountShare - 0.35))
	x -= c.returnRate
	if c.app {
		x += 0.25
	}
	if c.tenure < 3 {
		x += 0.3
	}
	return x
}
