package train

import (
	"io"
	"os"
	"time"
)

// A pipe copies what a program writes. The program gets the file itself, so that
// waiting for the program is not waiting for children that keep the file open.
type pipe struct {
	read, write *os.File
	done        chan struct{}
}

func newPipe(to io.Writer) (*pipe, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &pipe{r, w, make(chan struct{})}
	go func() {
		defer close(p.done)
		io.Copy(to, r)
	}()
	return p, nil
}

// end waits until what was written is copied, at most a second beyond the program's end:
// a child that left the group may hold the other side open for ever.
func (p *pipe) end() {
	p.write.Close()
	p.read.SetReadDeadline(time.Now().Add(time.Second))
	<-p.done
	p.read.Close()
}

// A tail keeps the end of what is written to it, and shows it without secrets.
type tail struct {
	limit   int
	secrets []string // the longest first
	kept    []byte
	cut     bool // kept is not all of it
}

func (t *tail) longest() int {
	if len(t.secrets) == 0 {
		return 0
	}
	return len(t.secrets[0])
}

func (t *tail) Write(data []byte) (int, error) {
	t.kept = append(t.kept, data...)
	if room := t.limit + t.longest(); len(t.kept) > 2*room {
		t.kept, t.cut = append(t.kept[:0], t.kept[len(t.kept)-room:]...), true
	}
	return len(data), nil
}

// String returns what is kept. Where the cut may have divided a secret, so that it is not
// recognised any more, nothing is shown.
func (t *tail) String() string {
	kept := t.kept
	if t.cut {
		kept = kept[t.longest():]
	}
	text := redact(string(kept), t.secrets)
	return text[max(0, len(text)-t.limit):]
}
