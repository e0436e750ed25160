package release

import "time"

// A State is what the events add up to. It is made by [Fold] and not changed afterwards.
type State struct {
	Seq       int64       // of the last event
	Champion  string      // digest; "" before the first
	Champions []Promotion // oldest first
	Routing   *Routing    // in force; nil if there never was one
	Rejected  map[string]Rejection
	Held      *Control // nil if nobody holds
	Resumed   *Control // the last resume; nil if there was none
	Back      *Control // the last rollback that a person ordered; nil if there was none
	Releases  []*Release

	batches map[string]*batch
	names   []string // of the batches, ascending
}

// A Promotion is a moment at which a model became the champion.
type Promotion struct {
	Seq     int64
	At      time.Time
	Model   string
	Release string // that brought it, or took it back; "" if none did
}

// A Rejection says since when and why a model may not serve.
type Rejection struct {
	Seq    int64
	At     time.Time
	Reason string
}

// A Control is what a person ordered.
type Control struct {
	Seq    int64
	At     time.Time
	By     string
	Reason string
	Paper  string // digest, of what the person gave
	From   string // rollback: the champion at that time
	To     string // rollback: the champion to come; From if only a candidate goes back
	Drop   string // rollback: the model that goes; "" if none does
	Batch  string // rollback: to be published again from the champion; may be ""
}

// A Release is one attempt to replace the champion, by one candidate or the best of
// several.
type Release struct {
	Name       string
	Seq        int64 // of its first candidate
	Candidates []*Candidate
	Promotion  *Promotion // nil until one of its candidates is the champion
	Former     string     // the champion before that
	Done       bool       // it was finished
	DoneAt     time.Time
	Answers    []Answer
	Reverse    []Verdict // on former champions
}

// A Candidate is a model that asks to be released.
type Candidate struct {
	Model    string
	Seq      int64
	At       time.Time
	By       string
	Learned  string    // last batch that it has learned from; "" if that is unknown
	Verdicts []Verdict // in the order of the log, those inside runs too
	Refused  *Answer   // a person rejected it
}

// A Verdict is what a gate said of a candidate, or of a former champion.
type Verdict struct {
	Seq      int64
	At       time.Time
	Step     string
	Model    string
	Champion string // what it was compared with
	Verdict  string
	Decision string // digest
	Reason   string
	Batch    string // in whose run it was given; "" if it rests on labels
	Run      string
	Batches  []string // labelled ones that it rests on
	Low      float64
}

// An Answer is a person's, and it counted when it came.
type Answer struct {
	Seq      int64
	At       time.Time
	By       string
	Step     string
	Model    string // "": every candidate
	Decision string
	Answer   string
	Reason   string
}

// A batch is what is known about one batch.
type batch struct {
	name      string
	first     int64 // entry of the first publication; 0 before
	firstAt   time.Time
	seq       int64 // of the current publication
	at        time.Time
	number    int64
	run       string   // that is published; "" if that is unknown
	models    []string // whose scores its rows have; nil if a person took it back
	champion  string
	runs      map[string]*scored
	published map[string]bool // runs
}

// A scored is what is known about one run of a batch.
type scored struct {
	models    []string // that have scored all rows
	failed    []string // that cannot
	evaluated int64    // entry of the first evaluation; 0 before
	restated  bool     // made from other input than the batch was first published from
}

// Release returns the release of that name, or nil.
func (s *State) Release(name string) *Release {
	for _, r := range s.Releases {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// candidate returns the release's candidate of that model, or nil.
func (r *Release) candidate(model string) *Candidate {
	for _, c := range r.Candidates {
		if c.Model == model {
			return c
		}
	}
	return nil
}

// live returns the candidates that may still become champion.
func (s *State) live(r *Release) []*Candidate {
	var live []*Candidate
	for _, c := range r.Candidates {
		if _, rejected := s.Rejected[c.Model]; !rejected && c.Model != s.Champion {
			live = append(live, c)
		}
	}
	return live
}

// watching reports whether the release's model is the champion and still watched.
func (s *State) watching(r *Release) bool {
	return !r.Done && r.Promotion != nil && r.Promotion.Model == s.Champion
}

// over reports whether nothing can come of the release any more.
func (s *State) over(r *Release) bool {
	if r.Done || r.Promotion != nil {
		return !s.watching(r)
	}
	return len(s.live(r)) == 0
}

// open returns the release that is watched and the one whose candidates are on their
// way; either may be nil. Others wait.
func (s *State) open() (watched, leading *Release) {
	for _, r := range s.Releases {
		switch {
		case s.over(r):
		case r.Promotion != nil:
			watched = r
		default:
			return watched, r
		}
	}
	return watched, nil
}

// labelled returns the batches that may be evidence against the champion, oldest first:
// published and labelled, not restated, and possible to score with that model. They come
// after the batch named after, and were first published after since.
func (s *State) labelled(after string, since time.Time, champion string) []*batch {
	var found []*batch
	for _, name := range s.names {
		b := s.batches[name]
		r := b.runs[b.run]
		if name > after && b.first > 0 && b.firstAt.After(since) &&
			r != nil && r.evaluated > 0 && !r.restated && !has(r.failed, champion) {
			found = append(found, b)
		}
	}
	return found
}

// missing returns those of the models that have no scores of what is published.
func (b *batch) missing(models []string) []string {
	var missing []string
	for _, m := range models {
		if r := b.runs[b.run]; r == nil || !has(r.models, m) {
			missing = append(missing, m)
		}
	}
	return missing
}
