package main

import (
	"time"

	"headgate/internal/train"
)

// checkpointEvery is how often the file of --checkpoint is written again.
const checkpointEvery = time.Second

// A keeper keeps the file of --checkpoint up to date.
type keeper struct {
	name string
	next time.Time
}

// round writes where the training is, after the first round and then every second.
func (k *keeper) round(p train.Progress) error {
	now := time.Now()
	if k.name == "" || p.Checkpoint == nil || now.Before(k.next) {
		return nil
	}
	data, err := p.Checkpoint()
	if err != nil {
		return err
	}
	k.next = now.Add(checkpointEvery)
	return writeWhole(k.name, data)
}
