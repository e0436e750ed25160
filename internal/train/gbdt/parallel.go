package gbdt

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// threadsOf is how many threads the options ask for.
func threadsOf(o *Options) int {
	if o == nil || o.Threads <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return o.Threads
}

// parallel does tasks 0 … tasks−1, up to threads of them at a time. do gets the task
// and the number of the worker, below threads, that no other task has meanwhile.
// Which worker does which task is not determined, so no result may depend on it.
func parallel(threads, tasks int, do func(task, worker int)) {
	if threads = min(threads, tasks); threads <= 1 {
		for task := range tasks {
			do(task, 0)
		}
		return
	}
	var next atomic.Int64
	work := func(worker int) {
		for {
			task := int(next.Add(1)) - 1
			if task >= tasks {
				return
			}
			do(task, worker)
		}
	}
	var group sync.WaitGroup
	for worker := 1; worker < threads; worker++ {
		group.Go(func() { work(worker) })
	}
	work(0)
	group.Wait()
}
