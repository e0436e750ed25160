package pipeline

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"headgate/internal/calendar"
	"headgate/internal/contract"
)

// The defaults of a schedule.
const (
	DefaultZone      = "UTC"
	DefaultAt        = "06:00"
	DefaultCatchUp   = 30 * 24 * time.Hour
	DefaultDataWait  = 24 * time.Hour // if the contract has no latency
	DefaultToPublish = 24 * time.Hour // after the data may come
)

// Schedule says when batches are scored by themselves, and when one is missing.
type Schedule struct {
	Zone        string   `json:"zone,omitempty"`        // IANA name
	Day         MonthDay `json:"day,omitempty"`         // of the month
	BusinessDay MonthDay `json:"businessDay,omitempty"` // of the month; negative: from its end
	Days        string   `json:"days,omitempty"`        // of batches of a day: all or business
	At          string   `json:"at,omitempty"`          // 06:30
	For         string   `json:"for,omitempty"`         // previous or current
	Move        string   `json:"move,omitempty"`        // of a day: keep, next or before
	Holidays    string   `json:"holidays,omitempty"`    // path beside the pipeline file
	// Every makes the schedule a rehearsal, in which a batch is due after so long. It has
	// none of the settings above.
	Every *Duration `json:"every,omitempty"`

	First   string   `json:"first,omitempty"` // batch; default: the next one when the schedule is applied
	Last    string   `json:"last,omitempty"`  // batch; default: no end
	Jitter  Duration `json:"jitter"`
	CatchUp Duration `json:"catchUp"` // how late a slot may begin that the server was down over
	Overlap string   `json:"overlap"` // allow, buffer or skip

	Wait    *Duration `json:"wait,omitempty"`    // so long after the slot data may come; default: the contract's latency, or a day
	Publish *Duration `json:"publish,omitempty"` // so long after the slot the batch must be published; default: a day more
	Poll    *Duration `json:"poll,omitempty"`    // how often a slot looks; default: a five-hundredth of publish
}

// A MonthDay is a day of the month, or a business day of it: from 1, or last, which is −1.
type MonthDay int

// MarshalJSON writes the day as it is written in the file.
func (d MonthDay) MarshalJSON() ([]byte, error) {
	if d == calendar.LastDay {
		return json.Marshal("last")
	}
	return []byte(strconv.Itoa(int(d))), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *MonthDay) UnmarshalJSON(data []byte) error {
	if string(data) == `"last"` {
		*d = calendar.LastDay
		return nil
	}
	return json.Unmarshal(data, (*int)(d))
}

// Calendar returns the calendar of the pipeline's schedule: holidays are the days of its
// holiday file, and k is the contract of its batches. It begins with the file's first
// batch; without one, with that of the calendar before it, or with the next slot after now.
// The error is of settings that only contradict each other together with the contract.
func (c *Config) Calendar(k *contract.Contract, holidays []string, before *calendar.Calendar, now time.Time) (*calendar.Calendar, error) {
	s := c.Schedule
	if s == nil {
		return nil, fmt.Errorf("pipeline %s has no schedule; add one, as in schedule: { day: 3, at: \"06:30\", zone: Europe/Berlin }", c.Name)
	}
	cal := &calendar.Calendar{Format: calendar.Format, Pipeline: c.Name, Kind: string(c.Batch), Zone: s.Zone,
		Day: int(s.Day), BusinessDay: int(s.BusinessDay), Days: s.Days, At: s.At, For: s.For, Move: s.Move, Holidays: holidays,
		First: s.First, Last: s.Last}
	wait := s.waits(k)
	publish := wait + DefaultToPublish
	if s.Publish != nil {
		publish = time.Duration(*s.Publish)
	}
	if publish <= wait {
		return nil, fmt.Errorf("schedule.publish is %s, and data may come until %s after the slot by schedule.wait or the contract's latency: a batch needs time to be published", Duration(publish), Duration(wait))
	}
	poll := max(publish/(calendar.MaxLooks/2), time.Second)
	if s.Poll != nil {
		poll = time.Duration(*s.Poll)
	}
	cal.WaitSeconds, cal.PublishSeconds, cal.PollSeconds = seconds(wait), seconds(publish), seconds(poll)
	if s.Every != nil {
		cal.Zone, cal.At, cal.For = DefaultZone, DefaultAt, calendar.Previous
		cal.EverySeconds = seconds(time.Duration(*s.Every))
		cal.From = now.UTC().Truncate(time.Second).Add(time.Duration(*s.Every))
		if before != nil && before.EverySeconds == cal.EverySeconds && before.First == cal.First {
			cal.From = before.From
		}
	}
	if cal.First == "" && before != nil && before.Kind == cal.Kind && before.EverySeconds == 0 {
		cal.First = before.First
	}
	if cal.First == "" {
		cal.First = cal.FirstAfter(now)
	}
	return cal, cal.Check()
}

// seconds returns a time in whole seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// waits returns how long after its slot the data of a batch may come: the longest latency
// of the contract if the file does not say.
func (s *Schedule) waits(k *contract.Contract) time.Duration {
	if s.Wait != nil {
		return time.Duration(*s.Wait)
	}
	longest := time.Duration(0)
	for _, p := range k.Promises {
		if p.Kind == contract.KindLatency {
			longest = max(longest, time.Duration(p.Period.Months)*31*24*time.Hour+p.Period.Rest)
		}
	}
	if longest == 0 {
		return DefaultDataWait
	}
	return longest
}
