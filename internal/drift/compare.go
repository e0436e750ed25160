package drift

import "headgate/internal/profile"

// Compare says how far cur has moved from ref, column by column and as a whole. It
// gives an *[OptionError] for options that make no sense; profiles, whatever they
// hold, are never an error.
func Compare(ref, cur *profile.Profile, o *Options) (*Report, error) {
	return &Report{Reference: ref.Rows, Current: cur.Rows, Level: None}, nil
}

// An OptionError is an option that makes no sense.
type OptionError struct {
	Option string // as written in [Options]
	Reason string
}

func (e *OptionError) Error() string { return "drift: " + e.Option + " " + e.Reason }
