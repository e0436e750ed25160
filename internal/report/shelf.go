package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"headgate/internal/figure"
	"headgate/internal/report/chart"
	"headgate/internal/report/page"
)

// A Site is the index of all pipelines of a store.
type Site struct {
	Format  int     `json:"format"` // [Format]
	Shelves []Shelf `json:"pipelines"`
}

// A Shelf is the index of all pages about one pipeline.
type Shelf struct {
	Pipeline    string   `json:"pipeline"`
	Description string   `json:"description,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Champion    *Version `json:"champion,omitempty"`
	Months      []Line   `json:"months,omitempty"` // oldest first
	Runs        []Leaf   `json:"runs,omitempty"`   // these and what follows: the last one first
	Trainings   []Leaf   `json:"trainings,omitempty"`
	Releases    []Leaf   `json:"releases,omitempty"`
	Cards       []Leaf   `json:"cards,omitempty"`
	Waits       []Open   `json:"waits,omitempty"`
	Anchor      string   `json:"anchor"`
}

// A Leaf is a page about one thing.
type Leaf struct {
	Name  string    `json:"name"` // as starter report takes it
	Entry int64     `json:"entry"`
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	What  string    `json:"what"`
	State string    `json:"state"` // in few words
	Batch string    `json:"batch,omitempty"`
}

// File is where the page of a name stands in a site, below the directory of its pipeline:
// months/2024-08.html of month/2024-08, runs/… of a batch. Names that differ stand in
// different files.
func File(name string) string {
	dir, rest := "runs", name
	for _, kind := range []struct{ prefix, dir string }{{"month/", "months"}, {"training/", "trainings"}, {"release/", "releases"}, {"card/", "cards"}} {
		if after, ok := strings.CutPrefix(name, kind.prefix); ok {
			dir, rest = kind.dir, after
		}
	}
	var file strings.Builder
	for _, b := range []byte(rest) {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '.', b == '-':
			file.WriteByte(b)
		case b == '/':
			file.WriteByte('_')
		default:
			fmt.Fprintf(&file, "%%%02X", b)
		}
	}
	return dir + "/" + file.String() + ".html"
}

// href is a link from a page to the file of another, both below the pipeline's directory.
func href(file string) string {
	return strings.ReplaceAll(file, "%", "%25")
}

// Page returns the index of all pipelines.
func (s *Site) Page() *page.Page {
	p := &page.Page{Kind: "Index", Title: "Pipelines", Verdict: s.verdict()}
	t := &page.Table{Caption: "Pipelines of the store", Columns: page.Columns("Pipeline", "What it predicts", "Owner", "Latest month", "State", "Champion", "#Months", "#Open questions")}
	for _, shelf := range s.Shelves {
		row := page.Row{{Text: page.Link(shelf.Pipeline, shelf.Pipeline+"/index.html")}, {Text: page.Text(cmp.Or(shelf.Description, "–"))}, {Text: page.Text(cmp.Or(shelf.Owner, "–"))}, {Text: page.Text("–")}, {Text: page.Text("no month yet")}, {Text: page.Text("–")}, {Text: page.Text(fmt.Sprint(len(shelf.Months)))}, {Text: page.Text(fmt.Sprint(len(shelf.Waits)))}}
		if l := shelf.latest(); l != nil {
			row[3].Text, row[4] = page.Link(l.Batch, shelf.Pipeline+"/"+href(File("month/"+l.Batch))), page.Cell{Text: page.Text(l.State), Tone: stateTone(l.State)}
		}
		if shelf.Champion != nil {
			row[5].Text = page.Digest(shelf.Champion.Digest)
		}
		if len(shelf.Waits) > 0 {
			row[7].Tone = page.Warn
		}
		t.Rows = append(t.Rows, row)
	}
	if len(t.Rows) > 0 {
		p.Add("", "", t)
	}
	p.End = []page.Words{page.Text("Made by starter site from the store alone. The same store gives the same pages.")}
	return p
}

func (s *Site) verdict() page.Verdict {
	waits := 0
	for _, shelf := range s.Shelves {
		waits += len(shelf.Waits)
	}
	v := page.Verdict{Tone: page.Good, Word: "Nothing waits", Happened: page.Textf("%s in the store.", sentenceCase(figure.Things(len(s.Shelves), "pipeline"))), Act: page.Text("Nobody.")}
	if waits > 0 {
		v.Tone, v.Word, v.Act = page.Warn, sentenceCase(figure.Things(waits, "open question")), page.Text("See the pipelines that are marked below.")
	}
	return v
}

func (s *Shelf) latest() *Line {
	if len(s.Months) == 0 {
		return nil
	}
	return &s.Months[len(s.Months)-1]
}

// stateTone says how good news the state of a month is.
func stateTone(state string) page.Tone {
	switch state {
	case "published":
		return page.Good
	case "blocked", "missing":
		return page.Bad
	}
	return page.Warn
}

// Page returns the index of the pipeline.
func (s *Shelf) Page() *page.Page {
	p := &page.Page{Kind: "Index", Title: s.Pipeline, Verdict: s.verdict(), Facts: s.factList()}
	p.Add("Who must act", "", waitTable(s.Waits)...)
	p.Add("Months", "", &page.Figures{Charts: []chart.Chart{timelineOf(s.Months)}}, lineTable("Months, the latest first", slices.Backward(s.Months), func(l Line) page.Words {
		return page.Link(l.Batch, href(File("month/"+l.Batch)))
	}))
	p.Add("Releases", "", leafTable("Releases, the last one first", "Release", "release/", s.Releases)...)
	p.Add("Trainings", "", leafTable("Trainings, the last one first", "Training", "training/", s.Trainings)...)
	p.Add("Model versions", "", leafTable("Model cards, the last one first", "Version", "card/", s.Cards)...)
	p.Add("Runs", "Every run that was judged, those too that never went out.", leafTable("Runs, the last one first", "Run", "", s.Runs)...)
	p.End = []page.Words{page.Join(page.Text("Registry anchor "), page.Code(s.Anchor), page.Text(". Check it with "), page.Code(fmt.Sprintf("starter verify %s --anchor %s", s.Pipeline, s.Anchor)), page.Text("."))}
	return p
}

func (s *Shelf) verdict() page.Verdict {
	v := page.Verdict{Tone: page.Plain, Word: "No month yet", Act: page.Text("Nobody.")}
	if l := s.latest(); l != nil {
		v.Tone, v.Word = stateTone(l.State), l.Batch+" is "+l.State
		v.Happened = page.Textf("%s of %s were scored, %s in quarantine.", figure.Count(l.Rows.Scored), figure.Things(l.Rows.Delivered, "row"), figure.Count(l.Rows.Quarantined))
		if l.Gone {
			v.Happened = page.Text("The papers of its run were deleted, so nobody can say what became of its rows.")
		}
		if len(l.Served) > 0 {
			v.Happened = page.Join(v.Happened, page.Textf(" Served by %s.", servedText(l.Served)))
		}
		for i := range slices.Backward(s.Months) {
			if q := s.Months[i].Quality; q != nil && q.Champion != nil {
				v.Trust = page.Textf("The last month with labels is %s: %s %s.", s.Months[i].Batch, metricName(q.Metric), figure.Estimate(q.Champion))
				break
			}
		}
	}
	if n := len(s.Waits); n > 0 {
		v.Tone, v.Act = page.Warn, page.Textf("%s: %s.", sentenceCase(s.Waits[0].Who), strings.TrimSuffix(s.Waits[0].What, "."))
		if n > 1 {
			v.Act = page.Join(v.Act, page.Textf(" And %s.", figure.Things(n-1, "more question")))
		}
	}
	return v
}

func (s *Shelf) factList() []page.Fact {
	published := 0
	for _, l := range s.Months {
		if l.State == "published" {
			published++
		}
	}
	facts := []page.Fact{{Name: "Months published", Value: page.Textf("%d of %d", published, len(s.Months))}, {Name: "Owner", Value: page.Text(cmp.Or(s.Owner, "not named")), Note: s.Description}}
	if s.Champion != nil {
		facts = append(facts, page.Fact{Name: "Champion", Value: page.Digest(s.Champion.Digest), Note: s.Champion.Note})
	}
	return append(facts, page.Fact{Name: "Releases", Value: page.Text(fmt.Sprint(len(s.Releases)))}, page.Fact{Name: "Trainings", Value: page.Text(fmt.Sprint(len(s.Trainings)))})
}

// leafTable lists pages. prefix is what their names begin with and nobody needs to read.
func leafTable(caption, head, prefix string, leaves []Leaf) []page.Block {
	if len(leaves) == 0 {
		return nil
	}
	t := &page.Table{Caption: caption, Columns: page.Columns(head, "State", "When", "By", "#Entry", "What")}
	for _, l := range leaves {
		t.Rows = append(t.Rows, page.Row{{Text: page.Link(strings.TrimPrefix(l.Name, prefix), href(File(l.Name)))}, {Text: page.Text(l.State), Tone: leafTone(l.State)}, {Text: page.Text(stamp(l.At))},
			{Text: page.Text(l.By)}, {Text: page.Text(fmt.Sprint(l.Entry))}, {Text: page.Text(l.What)}})
	}
	return []page.Block{t}
}

func leafTone(state string) page.Tone {
	if t, ok := standingTones[Standing(state)]; ok {
		return t
	}
	switch state {
	case "pass", "published", "champion":
		return page.Good
	case "block", "rejected":
		return page.Bad
	case "ask", "candidate":
		return page.Warn
	}
	return page.Plain
}

// Names lists the pages of the pipeline as starter report takes them.
func (s *Shelf) Names() []string {
	var names []string
	for _, l := range slices.Backward(s.Months) {
		names = append(names, "month/"+l.Batch)
	}
	for _, leaves := range [][]Leaf{s.Releases, s.Trainings, s.Cards, s.Runs} {
		for _, l := range leaves {
			names = append(names, l.Name)
		}
	}
	return names
}

// Beside lists links from the page of a name to those about the same month: from a month to
// its runs, from a run to its month.
func (s *Shelf) Beside(name string) []page.Words {
	batch, month := strings.CutPrefix(name, "month/")
	var links []page.Words
	for _, l := range s.Runs {
		switch {
		case month && l.Batch == batch:
			links = append(links, page.Link("run "+strings.TrimPrefix(l.Name, batch+"/")+" ("+l.State+")", "../"+href(File(l.Name))))
		case l.Name == name:
			links = append(links, page.Link("month "+l.Batch, "../"+href(File("month/"+l.Batch))))
		}
	}
	return links
}
