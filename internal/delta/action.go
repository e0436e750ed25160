package delta

import (
	"bytes"
	"encoding/json"
)

// A line is one action of a commit, as we write it: one field is set.
type line struct {
	CommitInfo *commitInfo `json:"commitInfo,omitempty"`
	Protocol   *protocol   `json:"protocol,omitempty"`
	MetaData   *metaData   `json:"metaData,omitempty"`
	Txn        *txn        `json:"txn,omitempty"`
	Remove     *remove     `json:"remove,omitempty"`
	Add        *add        `json:"add,omitempty"`
}

// commitInfo says who committed what. Delta Lake leaves its content to writers;
// the first fields are those that its tools show, headgate is ours.
type commitInfo struct {
	Timestamp           int64             `json:"timestamp"` // milliseconds since 1970, UTC
	Operation           string            `json:"operation"`
	OperationParameters map[string]string `json:"operationParameters"`
	IsBlindAppend       bool              `json:"isBlindAppend"`
	EngineInfo          string            `json:"engineInfo"`
	UserMetadata        string            `json:"userMetadata"` // one sentence for people
	Headgate            *provenance       `json:"headgate"`
}

// provenance is what a publication says of itself.
type provenance struct {
	Pipeline     string            `json:"pipeline"`
	Batch        string            `json:"batch"`
	Publication  int64             `json:"publication"`
	Operation    string            `json:"operation"`
	Supersedes   int64             `json:"supersedes,omitempty"`
	RestoredFrom int64             `json:"restoredFrom,omitempty"`
	Info         map[string]string `json:"info,omitempty"`
}

type protocol struct {
	MinReaderVersion int      `json:"minReaderVersion"`
	MinWriterVersion int      `json:"minWriterVersion"`
	ReaderFeatures   []string `json:"readerFeatures,omitempty"`
	WriterFeatures   []string `json:"writerFeatures,omitempty"`
}

type metaData struct {
	ID               string            `json:"id"`
	Name             string            `json:"name,omitempty"`
	Description      string            `json:"description,omitempty"`
	Format           format            `json:"format"`
	SchemaString     string            `json:"schemaString"`
	PartitionColumns []string          `json:"partitionColumns"`
	CreatedTime      *int64            `json:"createdTime,omitempty"`
	Configuration    map[string]string `json:"configuration"`
}

type format struct {
	Provider string            `json:"provider"`
	Options  map[string]string `json:"options"`
}

// txn counts what an application did to the table; see [appID].
type txn struct {
	AppID       string `json:"appId"`
	Version     int64  `json:"version"`
	LastUpdated *int64 `json:"lastUpdated,omitempty"`
}

type remove struct {
	Path                 string             `json:"path"`
	DeletionTimestamp    int64              `json:"deletionTimestamp"`
	DataChange           bool               `json:"dataChange"`
	ExtendedFileMetadata bool               `json:"extendedFileMetadata"`
	PartitionValues      map[string]*string `json:"partitionValues"`
	Size                 int64              `json:"size"`
}

type add struct {
	Path             string             `json:"path"`
	PartitionValues  map[string]*string `json:"partitionValues"`
	Size             int64              `json:"size"`
	ModificationTime int64              `json:"modificationTime"`
	DataChange       bool               `json:"dataChange"`
	Stats            string             `json:"stats,omitempty"`
}

// encodeLines returns the bytes of a log entry: an action a line, in JSON with
// the order of fields above, maps by key, and no HTML escapes.
func encodeLines(lines []line) ([]byte, error) {
	var b bytes.Buffer
	for _, l := range lines {
		text, err := encodeJSON(l)
		if err != nil {
			return nil, err
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}
