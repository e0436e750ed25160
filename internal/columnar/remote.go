package columnar

import (
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Measured against S3 through 30 ms of latency: parts of 8 MiB, four at a time,
// bring 625 MB/s; single reads of 1 MiB bring 30.
const (
	maxGap       = 1 << 20 // bytes that nobody asked for, read to save a request
	partSize     = 8 << 20
	partsAtOnce  = 4
	maxFarWindow = 8 << 20
	minFarWindow = 64 << 10
)

// A remote source fetches the selected chunks of a row group with few large
// reads, and those of the next row group while this one is decoded, as long as
// both together stay within the limit.
type remote struct {
	scan    *scan
	limit   int64
	current *fetch
	ahead   *fetch
}

// A fetch is the chunks of one row group on their way.
type fetch struct {
	group int
	spans []span
	chunk []int // the span of each column
	bytes int64
	done  chan error
	stop  context.CancelFunc
}

// A span is a stretch of the file that is read as one.
type span struct {
	place
	buf []byte
}

func newRemote(s *scan) *remote { return &remote{scan: s, limit: s.f.opts.InFlight} }

func (r *remote) open(g int) ([]*stream, error) {
	r.drop(&r.current)
	if r.ahead != nil && r.ahead.group != g {
		r.drop(&r.ahead)
	}
	r.current, r.ahead = r.ahead, nil
	if r.current == nil {
		plan, err := r.plan(g)
		if err != nil {
			return nil, err
		}
		if plan.bytes > r.limit {
			window := r.limit / int64(max(len(r.scan.columns), 1))
			return windows(r.scan, g, r.scan.f.r, int(max(min(window, maxFarWindow), minFarWindow)))
		}
		r.start(plan)
		r.current = plan
	}
	err := <-r.current.done
	r.current.done <- nil
	if err != nil {
		return nil, err
	}
	r.prefetch(g + 1)
	return r.current.streams(r.scan, g)
}

// prefetch starts the next row group that has rows, if there is room for it. What
// is wrong with it will be found when it is opened.
func (r *remote) prefetch(g int) {
	for g < r.scan.last && r.scan.f.footer.RowGroups[g].NumRows == 0 {
		g++
	}
	if g >= r.scan.last {
		return
	}
	plan, err := r.plan(g)
	if err != nil || r.current.bytes+plan.bytes > r.limit {
		return
	}
	r.start(plan)
	r.ahead = plan
}

// plan joins the chunks of a row group into spans.
func (r *remote) plan(g int) (*fetch, error) {
	f := &fetch{group: g, chunk: make([]int, len(r.scan.columns))}
	places := make([]place, len(r.scan.columns))
	order := make([]int, len(places))
	for i, c := range r.scan.columns {
		_, p, err := r.scan.f.locate(g, c)
		if err != nil {
			return nil, err
		}
		places[i], order[i] = p, i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(places[a].off, places[b].off) })
	for _, i := range order {
		p := places[i]
		if n := len(f.spans); n > 0 && p.off-f.spans[n-1].end() <= maxGap {
			last := &f.spans[n-1]
			last.length = max(last.end(), p.off+p.length) - last.off
		} else {
			f.spans = append(f.spans, span{place: p})
		}
		f.chunk[i] = len(f.spans) - 1
	}
	for _, s := range f.spans {
		f.bytes += s.length
	}
	return f, nil
}

func (p place) end() int64 { return p.off + p.length }

// start reads the spans in the background.
func (r *remote) start(f *fetch) {
	ctx, stop := context.WithCancel(r.scan.ctx)
	f.stop, f.done = stop, make(chan error, 1)
	for i := range f.spans {
		n := int(f.spans[i].length)
		f.spans[i].buf = pooled{}.Allocate(n + padding)[:n]
	}
	go func() {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(partsAtOnce)
		for i := range f.spans {
			s := &f.spans[i]
			for at := int64(0); at < s.length; at += partSize {
				part := s.buf[at:min(at+partSize, s.length)]
				group.Go(func() (err error) {
					defer guard(&err)
					if err := ctx.Err(); err != nil {
						return err
					}
					return readFull(r.scan.f.r, part, s.off+at)
				})
			}
		}
		f.done <- group.Wait()
	}()
}

// streams cuts the spans into the chunks of the columns.
func (f *fetch) streams(s *scan, g int) ([]*stream, error) {
	streams := make([]*stream, len(s.columns))
	for i, c := range s.columns {
		_, p, err := s.f.locate(g, c)
		if err != nil {
			return nil, err
		}
		sp := &f.spans[f.chunk[i]]
		streams[i] = fetched(sp.buf[p.off-sp.off : p.off-sp.off+p.length])
	}
	return streams, nil
}

// drop waits for what is still being read and gives the buffers back.
func (r *remote) drop(f **fetch) {
	if *f == nil {
		return
	}
	(*f).stop()
	<-(*f).done
	for i := range (*f).spans {
		pooled{}.Free((*f).spans[i].buf)
	}
	*f = nil
}

func (r *remote) close() {
	r.drop(&r.current)
	r.drop(&r.ahead)
}
