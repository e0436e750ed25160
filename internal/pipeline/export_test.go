package pipeline

// TopKeys are the keys of the file, for the test that compares them with the schema.
var TopKeys = topKeys
