package devserver

import (
	"fmt"
	"net"
	"strconv"
)

// loopback is the only interface that anything here listens on.
const loopback = "127.0.0.1"

// A PortError means that a port cannot be had.
type PortError struct {
	Port int
	UI   bool // it was meant for the Web UI
	Err  error
}

// Error is a sentence for a person at a terminal.
func (e *PortError) Error() string {
	return fmt.Sprintf("port %d is taken by another program", e.Port)
}

func (e *PortError) Unwrap() error { return e.Err }

// ports holds one port for each part of the server. The server's parts talk to
// each other over the network even in one process.
type ports struct {
	frontend, history, matching, worker, ui int
}

// choosePorts checks that the two given ports are free, or chooses them if they
// are 0, and chooses the others. It holds all of them until the last is found, so
// that they differ. Another program can still take one before the server does; the
// server then gives up, and the next start chooses again.
func choosePorts(frontend, ui int) (ports, error) {
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	take := func(port int) (int, error) {
		l, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
		if err != nil {
			return 0, err
		}
		held = append(held, l)
		return l.Addr().(*net.TCPAddr).Port, nil
	}

	var p ports
	var err error
	if p.frontend, err = take(frontend); err != nil {
		return ports{}, &PortError{Port: frontend, Err: err}
	}
	if p.ui, err = take(ui); err != nil {
		return ports{}, &PortError{Port: ui, UI: true, Err: err}
	}
	for _, port := range []*int{&p.history, &p.matching, &p.worker} {
		if *port, err = take(0); err != nil {
			return ports{}, err
		}
	}
	return p, nil
}
