// Package retailer simulates an online shop whose true probabilities are known.
//
// Nothing in it is real: no customer, no purchase, no price. It exists so that a
// demo has a year to tell, and so that gates, drift tests and intervals can be
// judged against the truth and not only against each other. The schema of every
// record says "simulated" in its metadata.
//
// Start at [World.Month]: a month of customers as Arrow records. [World.Labels]
// says who bought, [World.Truth] with which probability. No pipeline may read
// the truth.
//
// # What is random
//
// Every value follows from a hash of (seed, customer, month) and of nothing
// else. So any month can be made alone, in any order, on any machine: the
// package has its own hash, exp, log and normal quantile, rounds explicitly
// where a CPU might fuse, and gives the same bytes everywhere.
//
// A world has a fixed number of slots; a slot holds one customer at a time. In
// each month 4.08 % of the slots change hands, which is what keeps tenure at
// Exp(24 months) although everybody's tenure grows by a month a month. A
// customer's affinity z starts at N(0, 1) when the slot changes hands (or in the
// first month) and follows z ← 0.95·z + √(1−0.95²)·ε, with ε hashed from
// (seed, customer, month). For any month it is recomputed from that start, at most 24
// steps away: an exact AR(1) process, with nothing to remember.
//
// # The story of 2024
//
// From March a partner campaign holds a quarter of the slots: customers with a
// tenure of less than four months, who like discounts and have the app; each
// stays four months. From May a price change turns the effect of discount_share around; no feature
// shows it. A [World] that is Steady has neither. The accidents of the supplier
// are separate, see [Fault].
package retailer
