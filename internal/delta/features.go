package delta

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Files that a commit took away are kept for ten years, because a restore needs
// them, and so does whoever travels in time. The log is kept for ever: other
// writers might clean it up otherwise, once they have written a checkpoint.
const retention = "interval 3650 days"

// Features of the protocol that we read and write. A table has them by version
// until a column needs timestampNtz, which there is only as a feature.
var (
	readerFeatures = []string{"timestampNtz"}
	writerFeatures = []string{"appendOnly", "invariants", "timestampNtz"}
)

// neededProtocol returns the least protocol for the columns, given the table's.
func neededProtocol(have *protocol, columns []column) *protocol {
	ntz := slices.ContainsFunc(columns, func(c column) bool { return c.Type == timestampNTZ })
	switch {
	case ntz && (have == nil || !slices.Contains(have.ReaderFeatures, "timestampNtz")):
		return &protocol{3, 7, readerFeatures, writerFeatures}
	case have == nil:
		return &protocol{MinReaderVersion: 1, MinWriterVersion: 2}
	}
	return have
}

// unknown names what a protocol demands and we do not know, or "".
func (p *protocol) unknown() string {
	if p.MinReaderVersion != 1 && p.MinReaderVersion != 3 {
		return fmt.Sprintf("reader version %d", p.MinReaderVersion)
	}
	if p.MinWriterVersion > 2 && p.MinWriterVersion != 7 {
		return fmt.Sprintf("writer version %d", p.MinWriterVersion)
	}
	for _, f := range p.ReaderFeatures {
		if !slices.Contains(readerFeatures, f) {
			return "reader feature " + f
		}
	}
	for _, f := range p.WriterFeatures {
		if !slices.Contains(writerFeatures, f) {
			return "writer feature " + f
		}
	}
	return ""
}

// unknown names what metadata demands and we do not know, or "".
func (m *metaData) unknown() string {
	if m.Format.Provider != "parquet" {
		return fmt.Sprintf("files of format %q", m.Format.Provider)
	}
	if !slices.Equal(m.PartitionColumns, []string{partition}) {
		return fmt.Sprintf("partition columns %q", m.PartitionColumns)
	}
	for _, key := range slices.Sorted(maps.Keys(m.Configuration)) {
		v := strings.ToLower(m.Configuration[key])
		switch {
		case key == "delta.appendOnly" && v == "true":
			return "append-only"
		case key == "delta.columnMapping.mode" && v != "none":
			return "column mapping"
		}
	}
	return ""
}

// firstMetaData returns the metadata of a new table.
func (t *Table) firstMetaData(pipeline string, at time.Time) *metaData {
	created := at.UnixMilli()
	return &metaData{
		ID: t.id(), Name: pipeline, Description: "Scores published by Headgate, one batch a partition",
		Format:           format{Provider: "parquet", Options: map[string]string{}},
		PartitionColumns: []string{partition}, CreatedTime: &created,
		Configuration: map[string]string{
			"delta.deletedFileRetentionDuration": retention,
			"delta.enableExpiredLogCleanup":      "false",
			"delta.logRetentionDuration":         retention,
		},
	}
}

// id returns the table's identifier: a UUID of version 8 that depends on nothing
// but the prefix, so that attempts to create the table write the same bytes.
func (t *Table) id() string {
	d := sha256.Sum256([]byte("headgate table\n" + t.prefix))
	d[6] = d[6]&0x0f | 0x80
	d[8] = d[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", d[:4], d[4:6], d[6:8], d[8:10], d[10:16])
}
