package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"headgate/internal/columnar"
	"headgate/internal/registry"
	"headgate/internal/store"
)

// inFile names the file in an error, once, and says what people call the trouble.
func inFile(name string, err error) error {
	var e *columnar.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", name, err)
	}
	if errors.Is(err, columnar.ErrColumn) {
		return fmt.Errorf("%s has no column %s", name, e.Column)
	}
	bare := columnar.Error{RowGroup: e.RowGroup, Column: e.Column, Err: e.Err}
	return fmt.Errorf("%s: %s", name, strings.TrimPrefix(bare.Error(), "columnar: "))
}

// transport is what gRPC writes around the reason why a connection failed.
var transport = regexp.MustCompile(`failed reaching server: |connection error: |desc = "(transport: )?|Error while dialing: |dial tcp( [^ ]+)?: |connect: |"$`)

// unreachable says that Temporal does not answer.
func unreachable(address string, err error) error {
	reason := transport.ReplaceAllString(err.Error(), "")
	if strings.Contains(reason, "no children to pick from") { // of gRPC's resolver, which found no address
		reason = "the name has no address"
	}
	return fmt.Errorf("temporal does not answer at %s (%s); set TEMPORAL_ADDRESS", address, reason)
}

// withNamespace adds what to do if the server does not know the namespace.
func withNamespace(err error) error {
	var unknown *serviceerror.NamespaceNotFound
	if errors.As(err, &unknown) {
		return fmt.Errorf("%s; set TEMPORAL_NAMESPACE to one that the server has", strings.TrimSuffix(err.Error(), "."))
	}
	return err
}

// failure turns the failure of a workflow into the sentence that its activity wrote.
func failure(err error) error {
	var sentence error
	for e := err; e != nil; e = errors.Unwrap(e) {
		if app, ok := e.(*temporal.ApplicationError); ok {
			sentence = errors.New(strings.TrimPrefix(app.Message(), "columnar: "))
		}
	}
	var cancelled *temporal.CanceledError
	var terminated *temporal.TerminatedError
	switch {
	case sentence != nil:
		return sentence
	case errors.As(err, &cancelled):
		return errors.New("the run was cancelled")
	case errors.As(err, &terminated):
		return errors.New("the run was terminated")
	}
	return err
}

// notRegistered says that a registry has no such pipeline.
func notRegistered(pipeline string, b *store.Bucket) error {
	return fmt.Errorf("pipeline %q is not registered in %s; run: starter register PIPELINE.yaml", pipeline, b.URL())
}

// plain makes wrong names and anchors a matter of usage, and leaves out the names of
// packages.
func plain(err error) error {
	for _, wrong := range []error{registry.ErrPipeline, registry.ErrAnchor} {
		if errors.Is(err, wrong) {
			return usageError{errors.New(strings.TrimPrefix(err.Error(), "registry: "))}
		}
	}
	var file *columnar.Error
	if errors.As(err, &file) && file.Name != "" {
		return inFile(file.Name, file)
	}
	return err
}

// numberSyntax is what package strconv writes into the errors of flags.
var numberSyntax = regexp.MustCompile(`strconv\.[A-Za-z]+: parsing ".*": `)

func flagError(c *cobra.Command, err error) error {
	return usageError{fmt.Errorf("%s; see %s --help", numberSyntax.ReplaceAllString(err.Error(), ""), c.CommandPath())}
}

// arguments checks the number of arguments of a command; a wrong one is usage.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if check(c, args) == nil {
			return nil
		}
		words := strings.Fields(c.Use)[1:]
		for i, w := range words {
			if strings.ContainsAny(w[:1], "-[(") {
				words = words[:i]
				break
			}
		}
		got := "nothing"
		for i, arg := range args {
			args[i] = strconv.Quote(arg)
			got = strings.Join(args[:i+1], " ")
		}
		return usageError{fmt.Errorf("%s takes %s, got %s; see %s --help", c.Name(), strings.Join(words, " "), got, c.CommandPath())}
	}
}
