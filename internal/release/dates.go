package release

import "time"

// A Calendar says when a batch is scored, and when its labels are due.
type Calendar struct {
	Batch           string
	Scored, Matured time.Time
}

// A Date says when a step begins and ends at the earliest, and on which batches.
type Date struct {
	Step       Step
	Batches    []string
	Begin, End time.Time
}

// Dates returns the earliest dates of the steps of a release whose candidate exists at
// now and has learned from batches up to learned ("": none that was scored by now counts
// as evidence). It supposes that every verdict is a pass on the first look and every
// approval comes at once. coming are batches in their order, old ones too; steps that
// they do not reach are left out.
func Dates(steps []Step, coming []Calendar, learned string, now time.Time) []Date {
	var dates []Date
	at := now
	for _, step := range steps {
		d := Date{Step: step, Begin: at, End: at}
		for _, c := range coming {
			if len(d.Batches) == step.Batches {
				break
			}
			fits, end := !c.Scored.Before(at), c.Scored
			switch {
			case step.Name == StepShadow:
				fits, end = c.Batch > learned && (learned != "" || c.Scored.After(now)), c.Matured
			case step.Name == StepWatch:
				fits, end = c.Scored.After(at), c.Matured
			case step.Labels:
				end = c.Matured
			}
			if !fits {
				continue
			}
			d.Batches = append(d.Batches, c.Batch)
			if end.After(d.End) {
				d.End = end
			}
		}
		if len(d.Batches) < step.Batches {
			break
		}
		dates = append(dates, d)
		at = d.End
	}
	return dates
}
