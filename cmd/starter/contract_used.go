package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"headgate/internal/bundle"
	"headgate/internal/contract"
	"headgate/internal/pipeline"
	"headgate/internal/registry"
	papers "headgate/internal/run"
	"headgate/internal/store"
)

// A usedPipeline is a registered pipeline that follows a version of a contract.
type usedPipeline struct {
	Name    string      `json:"name"`
	Version string      `json:"version"`          // of the contract that it follows
	Keep    []string    `json:"keep,omitempty"`   // columns of scores.keep that are gone
	Models  []usedModel `json:"models,omitempty"` // registered, the oldest first
}

// A usedModel is a model version with the inputs that changes touch.
type usedModel struct {
	Digest  store.Digest `json:"digest"`
	Aliases []string     `json:"aliases,omitempty"`
	Touched []touched    `json:"touched,omitempty"`
}

// A touched input is one that is gone, has another type, or may have other values.
type touched struct {
	Input string `json:"input"`
	What  string `json:"what"`
}

// pipelinesUsing finds the pipelines of a store whose contract in force has the id.
func pipelinesUsing(ctx context.Context, b *store.Bucket, id string, changes []contract.Change) ([]usedPipeline, error) {
	names, err := registry.Pipelines(ctx, b)
	if err != nil {
		return nil, err
	}
	var out []usedPipeline
	for _, name := range names {
		log, err := registry.Load(ctx, b, name)
		if err != nil {
			return nil, err
		}
		state := log.State()
		if state.Contract == "" {
			continue
		}
		data, err := b.GetBlob(ctx, state.Contract)
		if err != nil {
			return nil, fmt.Errorf("contract of pipeline %s: %w", name, err)
		}
		c, err := contract.Parse(name, data)
		if err != nil || c.ID != id {
			continue // registered by a program that read other contracts, or another contract
		}
		used := usedPipeline{Name: name, Version: c.Version}
		if used.Keep, err = goneFromTable(ctx, b, state.Pipeline, changes); err != nil {
			return nil, fmt.Errorf("pipeline %s: %w", name, err)
		}
		for _, digest := range state.Models {
			m, err := touchedModel(ctx, b, digest, state.Aliases, changes)
			if err != nil {
				return nil, fmt.Errorf("pipeline %s: %w", name, err)
			}
			used.Models = append(used.Models, m)
		}
		out = append(out, used)
	}
	return out, nil
}

// goneFromTable returns the columns that the pipeline publishes and that are gone.
func goneFromTable(ctx context.Context, b *store.Bucket, digest store.Digest, changes []contract.Change) ([]string, error) {
	data, err := b.GetBlob(ctx, digest)
	if err != nil {
		return nil, err
	}
	conf, err := pipeline.ParseKept("pipeline.yaml", data)
	if err != nil {
		return nil, err
	}
	var gone []string
	for _, c := range changes {
		if c.Gone && slices.Contains(conf.Scores.Keep, c.Column) {
			gone = append(gone, c.Column)
		}
	}
	return gone, nil
}

// touchedModel returns which inputs of a model version the changes touch.
func touchedModel(ctx context.Context, b *store.Bucket, digest store.Digest, aliases map[string]store.Digest, changes []contract.Change) (usedModel, error) {
	m := usedModel{Digest: digest}
	for _, alias := range slices.Sorted(maps.Keys(aliases)) {
		if aliases[alias] == digest {
			m.Aliases = append(m.Aliases, alias)
		}
	}
	bun, err := bundle.Read(ctx, b, digest)
	if err != nil {
		return m, err
	}
	for _, c := range changes {
		reads := slices.ContainsFunc(bun.Inputs, func(in bundle.Input) bool { return in.Name == c.Column })
		if reads && (c.Gone || c.Type || c.Consumer == contract.Breaking) {
			m.Touched = append(m.Touched, touched{Input: c.Column, What: c.What})
		}
	}
	return m, nil
}

func printUsed(e *env, used []usedPipeline) {
	for _, p := range used {
		fmt.Fprintf(e.stdout, "\npipeline %s follows version %s\n", p.Name, p.Version)
		for _, name := range p.Keep {
			fmt.Fprintf(e.stdout, "  publishes %s, which is gone: change scores.keep\n", name)
		}
		for _, m := range p.Models {
			who := papers.Short(m.Digest)
			if len(m.Aliases) > 0 {
				who += " (" + strings.Join(m.Aliases, ", ") + ")"
			}
			if len(m.Touched) == 0 {
				fmt.Fprintf(e.stdout, "  model version %s is not touched\n", who)
			}
			for _, t := range m.Touched {
				fmt.Fprintf(e.stdout, "  model version %s reads %s: %s\n", who, t.Input, t.What)
			}
		}
	}
}
