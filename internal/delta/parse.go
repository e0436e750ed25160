package delta

import (
	"bytes"
	"encoding/json"
	"fmt"

	"headgate/internal/store"
)

// A commit is a log entry as read. Paths are decoded.
type commit struct {
	key      string
	version  int64
	digest   store.Digest // of its bytes
	info     *commitInfo  // nil if there is none that we can read
	protocol *protocol
	meta     *metaData
	columns  []column // of meta
	txns     []txn
	adds     []fileAction
	removes  []fileAction
}

// A fileAction adds a file to the table or removes it.
type fileAction struct {
	file  File
	batch string // "" if it has no value, which we never write
}

// rawFile is an add or a remove as other writers may write it.
type rawFile struct {
	Path             *string            `json:"path"`
	PartitionValues  map[string]*string `json:"partitionValues"`
	Size             *int64             `json:"size"`
	ModificationTime int64              `json:"modificationTime"`
	DataChange       *bool              `json:"dataChange"`
	Stats            *string            `json:"stats"`
	DeletionVector   json.RawMessage    `json:"deletionVector"`
}

// parseCommit reads a log entry. It wants everything of an action that the
// protocol requires, and ignores fields that it does not know. The error is a
// [*LogError] or an [*UnsupportedError].
func parseCommit(key string, version int64, data []byte) (*commit, error) {
	c := &commit{key: key, version: version, digest: store.DigestOf(data)}
	n := 0
	for text := range bytes.Lines(data) {
		n++
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		feature, err := c.parseLine(text)
		if err != nil {
			return nil, &LogError{key, n, err.Error()}
		}
		if feature != "" {
			return nil, &UnsupportedError{key, feature}
		}
	}
	if reason := c.duplicates(); reason != "" {
		return nil, &LogError{key, 0, reason}
	}
	return c, nil
}

// parseLine reads one action. feature names what it needs and we do not know.
func (c *commit) parseLine(text []byte) (feature string, err error) {
	var actions map[string]json.RawMessage
	if err := json.Unmarshal(text, &actions); err != nil {
		return "", err
	}
	name := ""
	for k, v := range actions {
		if string(v) == "null" {
			continue
		}
		if name != "" {
			return "", fmt.Errorf("two actions in one line: %s and %s", min(name, k), max(name, k))
		}
		name = k
	}
	raw := actions[name]
	switch name {
	case "commitInfo":
		// Its content is up to writers; what is not as ours tells us nothing.
		var info commitInfo
		if json.Unmarshal(raw, &info) == nil {
			c.info = &info
		}
		return "", nil
	case "protocol":
		return c.parseProtocol(raw)
	case "metaData":
		return c.parseMetaData(raw)
	case "txn":
		return "", c.parseTxn(raw)
	case "add":
		return c.parseFile(raw, &c.adds, true)
	case "remove":
		return c.parseFile(raw, &c.removes, false)
	case "cdc", "domainMetadata":
		return "", nil // do not say which rows are in the table
	case "":
		return "", fmt.Errorf("no action")
	}
	return fmt.Sprintf("action %q", name), nil
}

func (c *commit) parseProtocol(raw json.RawMessage) (string, error) {
	var p protocol
	if err := json.Unmarshal(raw, &p); err != nil {
		return "", err
	}
	if p.MinReaderVersion < 1 || p.MinWriterVersion < 1 || c.protocol != nil {
		return "", fmt.Errorf("protocol: no versions, or there twice")
	}
	c.protocol = &p
	return p.unknown(), nil
}

func (c *commit) parseMetaData(raw json.RawMessage) (string, error) {
	var m metaData
	if err := json.Unmarshal(raw, &m); err != nil {
		return "", err
	}
	if m.ID == "" || c.meta != nil {
		return "", fmt.Errorf("metaData: no id, or there twice")
	}
	columns, feature, err := parseSchema(m.SchemaString)
	if err != nil {
		return "", fmt.Errorf("metaData: schemaString: %w", err)
	}
	c.meta, c.columns = &m, columns
	if feature == "" {
		feature = m.unknown()
	}
	return feature, nil
}

func (c *commit) parseTxn(raw json.RawMessage) error {
	var t struct {
		AppID   string `json:"appId"`
		Version *int64 `json:"version"`
	}
	if err := json.Unmarshal(raw, &t); err != nil {
		return err
	}
	if t.AppID == "" || t.Version == nil {
		return fmt.Errorf("txn: no appId or no version")
	}
	c.txns = append(c.txns, txn{AppID: t.AppID, Version: *t.Version})
	return nil
}

// parseFile reads an add or a remove; a remove may leave out what its add said.
func (c *commit) parseFile(raw json.RawMessage, to *[]fileAction, full bool) (string, error) {
	var r rawFile
	if err := json.Unmarshal(raw, &r); err != nil {
		return "", err
	}
	if len(r.DeletionVector) > 0 && string(r.DeletionVector) != "null" {
		return "deletion vectors", nil
	}
	if r.Path == nil || r.DataChange == nil || full && (r.Size == nil || r.PartitionValues == nil) {
		return "", fmt.Errorf("file without path, size, partitionValues or dataChange")
	}
	p, err := unescapePath(*r.Path)
	if err != nil {
		return "", fmt.Errorf("path %q: %w", *r.Path, err)
	}
	a := fileAction{file: File{Path: p, Rows: -1, ModTime: r.ModificationTime}}
	if r.Size != nil {
		a.file.Size = *r.Size
	}
	if a.file.Size < 0 {
		return "", fmt.Errorf("path %q: a size of %d bytes", *r.Path, a.file.Size)
	}
	if v := r.PartitionValues[partition]; v != nil {
		a.batch = *v
	}
	if r.Stats != nil && *r.Stats != "" {
		if a.file.Stats, a.file.Rows, err = parseStats(*r.Stats); err != nil {
			return "", fmt.Errorf("path %q: stats: %w", *r.Path, err)
		}
	}
	*to = append(*to, a)
	return "", nil
}

// parseStats returns statistics and their number of rows, -1 if they do not say.
func parseStats(s string) (json.RawMessage, int64, error) {
	var stats struct {
		NumRecords *int64 `json:"numRecords"`
	}
	if err := json.Unmarshal([]byte(s), &stats); err != nil {
		return nil, 0, err
	}
	if stats.NumRecords == nil {
		return json.RawMessage(s), -1, nil
	}
	if *stats.NumRecords < 0 {
		return nil, 0, fmt.Errorf("numRecords is %d", *stats.NumRecords)
	}
	return json.RawMessage(s), *stats.NumRecords, nil
}

// duplicates says which path occurs twice, or "". Without deletion vectors the
// protocol allows a path one add or one remove in a commit.
func (c *commit) duplicates() string {
	seen := map[string]bool{}
	for _, actions := range [][]fileAction{c.adds, c.removes} {
		for _, a := range actions {
			if seen[a.file.Path] {
				return fmt.Sprintf("path %q is added or removed twice", a.file.Path)
			}
			seen[a.file.Path] = true
		}
	}
	return ""
}
