package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"headgate/internal/contract"
	"headgate/internal/figure"
)

// A contractDiff is what contract diff finds out, as it prints it.
type contractDiff struct {
	Contract string            `json:"contract"` // id of the old one
	From     string            `json:"from"`     // versions
	To       string            `json:"to"`
	Changes  []contract.Change `json:"changes"`
	Needs    string            `json:"needs"` // none, patch, minor, major
	Has      string            `json:"has"`   // likewise, or "" if the versions cannot be compared
	Next     string            `json:"next,omitempty"`
	Enough   bool              `json:"enough"`              // the version rises as far as the changes need
	Used     []usedPipeline    `json:"pipelines,omitempty"` // of the store
}

func newContractDiffCommand(e *env) *cobra.Command {
	var url string
	var asJSON bool
	c := &cobra.Command{
		Use:   "diff OLD.yaml NEW.yaml",
		Short: "Tell what a new version of a contract breaks, and whom",
		Long: `diff lists what changes from one version of a contract to the next. A change is

  breaking for producers   if a batch that kept the old contract can be blocked, or lose
                           rows to quarantine, by the new one
  breaking for consumers   if rows can now be what the old contract ruled out, or lack
                           what it had: a column, a type, a range, a role
  compatible               if it breaks nobody; limits on a whole batch promise nothing
                           about one row, so loosening them breaks no consumer
  documentation            if no check reads it

and says which semantic version the changes need: major if anything breaks, minor if
not, patch for documentation alone.

With --store, or HEADGATE_STORE, it names the registered pipelines that follow a version
of this contract, and their model versions with the inputs that the changes touch: gone,
of another type, or of other values than before.

Exit code 3 if the version of NEW does not rise as far as the changes need.`,
		Example: `  starter contract diff contract.yaml contract-new.yaml
  starter contract diff contract.yaml contract-new.yaml --store s3://lake/headgate
  git show main:contract.yaml > old.yaml; starter contract diff old.yaml contract.yaml --json`,
		Args: arguments(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			return compareContracts(c.Context(), e, args[0], args[1], url, asJSON)
		},
	}
	storeFlag(c, &url)
	c.Flags().BoolVar(&asJSON, "json", false, "print the changes as JSON")
	return c
}

func compareContracts(ctx context.Context, e *env, oldFile, newFile, url string, asJSON bool) error {
	was, oldText, err := readContract(oldFile)
	if err != nil {
		return err
	}
	is, newText, err := readContract(newFile)
	if err != nil {
		return err
	}
	out := diffContracts(was, is, !bytes.Equal(oldText, newText))
	if url != "" || e.getenv("HEADGATE_STORE") != "" {
		b, err := openStore(ctx, e, url)
		if err != nil {
			return err
		}
		defer b.Close()
		if out.Used, err = pipelinesUsing(ctx, b, was.ID, out.Changes); err != nil {
			return plain(err)
		}
	}
	if asJSON {
		if err := printJSON(e, out); err != nil {
			return err
		}
	} else if err := out.print(e); err != nil {
		return err
	}
	return out.verdict()
}

func readContract(name string) (*contract.Contract, []byte, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	c, err := contract.Parse(name, data)
	return c, data, err
}

// diffContracts returns what changes; otherText says that the files have other bytes.
func diffContracts(was, is *contract.Contract, otherText bool) *contractDiff {
	out := &contractDiff{Contract: was.ID, From: was.Version, To: is.Version, Changes: contract.Diff(was, is)}
	if len(out.Changes) == 0 && otherText && was.Version == is.Version {
		out.Changes = []contract.Change{{What: "texts that no check reads change", Producer: contract.Documentation, Consumer: contract.Documentation}}
	}
	need := contract.NeedsBump(out.Changes)
	out.Needs, out.Next = need.String(), contract.NextVersion(was.Version, need)
	has, err := contract.Bumped(was.Version, is.Version)
	if err == nil {
		out.Has = has.String()
	}
	out.Enough = need == contract.BumpNone || err == nil && has >= need
	return out
}

func (d *contractDiff) print(e *env) error {
	if len(d.Changes) == 0 {
		fmt.Fprintf(e.stdout, "contract %s, %s to %s: nothing changes\n", d.Contract, d.From, d.To)
	} else {
		fmt.Fprintf(e.stdout, "contract %s, %s to %s: %s\n\n", d.Contract, d.From, d.To, figure.Things(len(d.Changes), "change"))
		w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "FOR PRODUCERS\tFOR CONSUMERS\tCHANGE")
		for _, c := range d.Changes {
			fmt.Fprintf(w, "%s\t%s\t%s\n", c.Producer, c.Consumer, c.What)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "\nthe changes need a %s version, and %s\n", d.Needs, d.rise())
	}
	printUsed(e, d.Used)
	return nil
}

// rise says how far the version rises.
func (d *contractDiff) rise() string {
	switch d.Has {
	case "":
		return fmt.Sprintf("%s and %s cannot be compared", d.From, d.To)
	case contract.BumpNone.String():
		return fmt.Sprintf("%s does not rise above %s", d.To, d.From)
	}
	return fmt.Sprintf("%s is a %s one", d.To, d.Has)
}

// verdict is the error of a version that does not rise enough.
func (d *contractDiff) verdict() error {
	if d.Enough {
		return nil
	}
	hint := "give versions of the form MAJOR.MINOR.PATCH"
	if d.Next != "" {
		hint = fmt.Sprintf("make the version %s", d.Next)
	}
	return blockedError{fmt.Errorf("the changes need a %s version; %s", d.Needs, hint)}
}
