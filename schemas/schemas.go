// Package schemas holds the JSON Schemas of the files that people write, for
// editors and for other tools. The programs themselves do not read them: the
// parsers under internal decide, and tests hold the two together.
package schemas

import _ "embed"

// Pipeline is the JSON Schema (2020-12) of the pipeline file.
//
//go:embed pipeline.json
var Pipeline []byte

// Manifest is the JSON Schema (2020-12) of the training manifest.
//
//go:embed manifest.json
var Manifest []byte

// Entry is the JSON Schema (2020-12) of an entry of the registry.
//
//go:embed entry.json
var Entry []byte
