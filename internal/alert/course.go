package alert

import (
	"slices"
	"time"
)

// A Plan says who is told of an alert, and when.
type Plan struct {
	Levels  []Level       `json:"levels,omitempty"`  // none: nobody is told
	Quiet   time.Duration `json:"quiet"`             // the same trouble within so long is not told again
	Repeat  time.Duration `json:"repeat"`            // 0: never
	Forgets []string      `json:"forgets,omitempty"` // receivers that do, whether they are told or not
	// Follows says that the plan may change while the alert is open: whoever was told by an
	// earlier one is told that somebody takes care of it, and that it is over.
	Follows bool `json:"follows,omitempty"`
}

// A Level is who is told if those of the level before have not acknowledged in time.
type Level struct {
	After time.Duration `json:"after"` // the level before; 0 for the first
	To    []string      `json:"to"`
}

// Receivers that forget are told every 4 hours that an alert lasts, and may forget it
// after 12.
const (
	refreshEvery = 4 * time.Hour
	forgetAfter  = 3 * refreshEvery
)

// A State is how an alert stands.
type State struct {
	Alert Alert     `json:"alert"`
	Since time.Time `json:"since"`
	Count int       `json:"count"` // how often the trouble was found

	Notices   int       `json:"notices"`            // made so far
	Told      time.Time `json:"told,omitzero"`      // when all were told last that it lasts
	Level     int       `json:"level"`              // the last one that was told
	LevelAt   time.Time `json:"levelAt,omitzero"`   // when it was
	Refreshed time.Time `json:"refreshed,omitzero"` // when receivers that forget were told last
	Firing    bool      `json:"firing"`             // receivers believe that it lasts
	Again     bool      `json:"again,omitempty"`    // found again since receivers were told

	Acknowledged *Word `json:"acknowledged,omitempty"`
	AckTold      bool  `json:"ackTold,omitempty"`
	Resolved     *Word `json:"resolved,omitempty"`

	Deliveries []Delivery `json:"deliveries,omitempty"` // the last one to each receiver
}

// A Word is what somebody said about an alert, or the workflow that found its end.
type Word struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// A Delivery is what became of the last notice to a receiver.
type Delivery struct {
	Receiver string    `json:"receiver"`
	ID       string    `json:"id"`
	Event    Event     `json:"event"`
	At       time.Time `json:"at"` // of what is said of it
	State    Delivered `json:"state"`
	Why      string    `json:"why,omitempty"`  // it has not arrived
	File     string    `json:"file,omitempty"` // digest of the pipeline file that describes the receiver
}

// Delivered says whether a notice has arrived.
type Delivered string

// What can become of a notice.
const (
	Sending Delivered = "sending"
	Arrived Delivered = "arrived"
	Failed  Delivered = "failed" // nobody tries any longer
)

// Find notes that the trouble was found again. An alert that had ended begins anew.
func (s *State) Find(a Alert) {
	s.Alert, s.Again = a, true
	s.Count++
	if s.Resolved != nil {
		s.Resolved, s.Acknowledged, s.AckTold = nil, nil, false
		if !s.Firing { // receivers know that it was over
			s.Since, s.Level = a.At, 0
		}
	}
}

// A Move is what to do next: to tell receivers of an event, to wait until a moment, or
// nothing any more. Waiting without a moment is for somebody's word.
type Move struct {
	Event Event
	To    []string
	Wait  bool
	Until time.Time
}

// Next returns what to do at a moment.
func (s *State) Next(p Plan, now time.Time) Move {
	switch {
	case len(p.Levels) == 0 && s.Told.IsZero():
		return Move{}
	case s.Resolved != nil:
		return s.ending(p, now)
	case s.Told.IsZero():
		return Move{Event: Firing, To: p.Levels[0].To}
	}
	wait := Move{Wait: true}
	// due returns whether a moment has come, and otherwise waits for it.
	due := func(at time.Time) bool {
		if now.Before(at) {
			if wait.Until.IsZero() || at.Before(wait.Until) {
				wait.Until = at
			}
			return false
		}
		return true
	}
	if s.Acknowledged != nil {
		switch {
		case !s.AckTold:
			return Move{Event: Acknowledged, To: p.remembers(s.told(p))}
		case !s.Alert.Kind.Lasts():
			return Move{}
		}
	} else {
		if s.Again && due(s.Told.Add(p.Quiet)) {
			return Move{Event: Firing, To: s.reached(p)}
		}
		if next := s.Level + 1; s.Firing && next < len(p.Levels) && (s.unheard(p) || due(s.LevelAt.Add(p.Levels[next].After))) {
			return Move{Event: Escalated, To: p.Levels[next].To}
		}
		if p.Repeat > 0 && s.Firing && due(s.Told.Add(p.Repeat)) {
			return Move{Event: Reminder, To: s.reached(p)}
		}
	}
	if to := p.forgets(s.reached(p)); s.Firing && len(to) > 0 && due(s.Refreshed.Add(refreshEvery)) {
		return Move{Event: Refresh, To: to}
	}
	return wait
}

// ending returns what is left to do when the trouble is over: to say so and, while the
// same trouble would not be told again, to wait whether it comes back.
func (s *State) ending(p Plan, now time.Time) Move {
	quiet := s.Told.Add(p.Quiet)
	switch {
	case s.Firing:
		return Move{Event: Resolved, To: s.told(p)}
	case !s.Told.IsZero() && now.Before(quiet):
		return Move{Wait: true, Until: quiet}
	}
	return Move{}
}

// Make returns the notice of a move that tells somebody, and notes that it is told. base
// is what the IDs of all the alert's notices begin with.
func (s *State) Make(m Move, base string, now time.Time) Notice {
	s.Notices++
	n := Notice{ID: ID(base, s.Notices), Event: m.Event, Alert: s.Alert, Since: s.Since, Count: s.Count, At: now, Until: now.Add(forgetAfter)}
	switch m.Event {
	case Firing, Reminder:
		if s.Told.IsZero() || !s.Firing {
			s.LevelAt = now
		}
		s.Told, s.Firing, s.Again, s.Refreshed = now, true, false, now
	case Escalated:
		n.Note = "Nobody has acknowledged it."
		s.Level++
		s.Told, s.LevelAt = now, now
	case Refresh:
		s.Refreshed = now
	case Acknowledged:
		s.AckTold = true
		n.Note = s.Acknowledged.By + " takes care of it: " + s.Acknowledged.Reason
	case Resolved:
		s.Firing = false
		n.Note = s.Resolved.By + ": " + s.Resolved.Reason
	}
	return n
}

// reached returns the receivers of all levels that were told.
func (s *State) reached(p Plan) []string {
	var all []string
	for i, l := range p.Levels {
		if i > s.Level {
			break
		}
		for _, name := range l.To {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// told returns the receivers of all levels that were told, and those that were told by an
// earlier plan.
func (s *State) told(p Plan) []string {
	all := s.reached(p)
	for _, d := range s.Deliveries {
		if p.Follows && !slices.Contains(all, d.Receiver) {
			all = append(all, d.Receiver)
		}
	}
	return all
}

// unheard reports whether no receiver of the last level could be told.
func (s *State) unheard(p Plan) bool {
	for _, name := range p.Levels[s.Level].To {
		i := slices.IndexFunc(s.Deliveries, func(d Delivery) bool { return d.Receiver == name })
		if i < 0 || s.Deliveries[i].State != Failed {
			return false
		}
	}
	return true
}

func (p Plan) forgets(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !slices.Contains(p.Forgets, n) })
}

func (p Plan) remembers(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(p.Forgets, n) })
}

// Deliver notes what became of a notice, in place of the last one to the same receiver.
func (s *State) Deliver(d Delivery) {
	i := slices.IndexFunc(s.Deliveries, func(old Delivery) bool { return old.Receiver == d.Receiver })
	switch {
	case i < 0:
		s.Deliveries = append(s.Deliveries, d)
	case d.State == Sending || s.Deliveries[i].ID == d.ID: // what is said of an earlier notice comes too late
		s.Deliveries[i] = d
	}
}
