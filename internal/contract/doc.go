// Package contract decides whether a batch keeps its data contract, written as
// YAML in the Open Data Contract Standard (ODCS) 3.1.
//
// It answers in three steps, each before the next costs anything:
//
//  1. [Contract.CheckFooter] and [Contract.CheckTotals] ask the Parquet footers:
//     columns, types, row counts, null counts. No row is read.
//  2. A [Checker] looks at every row once, column by column. Rows that break a
//     rule are marked, with the ids of the rules; they go to quarantine.
//  3. [Contract.Judge] compares the merged counts with the rules over the whole
//     batch, [Contract.JudgeTimes] its newest and oldest values with the service
//     levels, and [Contract.JudgeHistory] its facts with those of other batches.
//
// The package reads no files and keeps no values: results and messages have names
// and counts only. Whatever in a contract it cannot run refuses the contract, with
// line and column; what only documents is listed in [Contract.Notes].
//
// # Where the standard leaves a choice
//
// Rows or batch. required, unique, primaryKey, logicalTypeOptions, relationships, and
// metrics and row rules of severity error that tolerate none (mustBe: 0, mustBeLessOrEqualTo: 0, or
// mustBeLessThan: 1 in rows; never rowCount) send each row that breaks them to
// quarantine, and of rows that repeat each other all; the error budget of the
// pipeline says how many are too many. Any other limit is about the batch: no row goes to
// quarantine, and a broken limit blocks (error) or is shown (warning, info).
// severity is error unless written. A column of the primary key, or with the role
// entityKey, is required in any case.
//
// Null. It breaks required, nullValues and missingValues, and nothing else: it is
// never invalid, never out of range, never a duplicate. missingValues always counts
// nulls, whether its list has null or not.
//
// NaN. It is a value and not a null. It is in no range and no multiple of anything;
// missingValues and validValues can name it as .nan.
//
// Between. The ends do not count: mustBeBetween: [1, 3] allows 2 only, and
// mustNotBeBetween: [1, 3] allows 1 and 3. The standard's text says so; some tools
// differ, and the message of a violation says when they would.
//
// Duplicates are rows − distinct tuples; a tuple with a null is not counted. Under
// primaryKey, unique, and duplicateValues of severity error that tolerates none, all
// rows that share a tuple go to quarantine, because nobody can say which one is right.
//
// Percent is 100 · count / rows, of all rows with those in quarantine, compared
// exactly; without rows it is 0. rowCount has no percent.
//
// Types. An integer column in the file is also a number; a double is never an
// integer; decimal(p, 0) is. A width such as i32 limits the values of an integer,
// whatever the width in the file; f32 asks for float or half float columns.
// timezone: true asks for timestamps in UTC, false for ones without zone.
//
// Limits. They are compared exactly with integers, decimals, dates and times; with
// floating-point columns they are rounded to the column's precision first.
// multipleOf of floating-point columns allows a relative error of 1e-9 (1e-6 for
// float). Limits of timestamps are read in defaultTimezone; a column without zone
// is compared as a clock reading. format is how the contract writes dates, not how
// the file does.
//
// Texts. Lengths count code points. A pattern is ECMA-262 and may match anywhere in
// the text; look-around, back-references and what RE2 would read in another way are
// refused.
//
// Rules across the columns of a row are of our own engine and written in CEL; package
// rowrule says what they mean. docs/contract.md has all of our rules.
//
// Relationships. A tuple with a null has no partner to look for. The batch is the one
// object of schema that no other points to; the others are described for the
// relationships, and their own rules are not run.
//
// Service levels. latency, also called freshness, and retention are judged with the
// batch and block it; the others are noted. Dates count as whole days of UTC.
//
// Version 3.0 is read by the rules of 3.1. What it writes in another way and means the
// same is mapped, and each time a note says so.
//
// Names. physicalName, where it is given, is the column's name in the file;
// arguments.properties uses name. A column whose roles are all of label, prediction,
// treatment, propensity and weight may be missing from a batch. classification and
// the custom properties mlRole and piiKind are closed lists.
//
// Our other custom properties are availableAt of a feature, the column that says when
// its value was known, and labelWindow, labelSettlement, labelAbsence and labelMarker
// of an object, which make a [LabelPolicy].
package contract
