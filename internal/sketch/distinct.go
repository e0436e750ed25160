package sketch

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Distinct estimates how many different values there are from their hashes, with
// a standard error of 0.81 %. It takes 16 KiB once it holds a value. The zero
// value is empty.
//
// Source: HyperLogLog with 2^14 registers; the estimate is Ertl's, "New
// cardinality estimation algorithms for HyperLogLog sketches", 2017, §4, which
// needs no correction tables.
type Distinct struct {
	registers *[distinctRegisters]uint8
}

const (
	distinctBits      = 14
	distinctRegisters = 1 << distinctBits
	maxRank           = 64 - distinctBits + 1
)

// Add counts a value by its hash.
func (d *Distinct) Add(hash uint64) {
	if d.registers == nil {
		d.registers = new([distinctRegisters]uint8)
	}
	i := hash >> (64 - distinctBits)
	rank := uint8(bits.LeadingZeros64(hash<<distinctBits|1<<(distinctBits-1)) + 1)
	if rank > d.registers[i] {
		d.registers[i] = rank
	}
}

// Merge adds all that o has counted.
func (d *Distinct) Merge(o *Distinct) {
	if o.registers == nil {
		return
	}
	if d.registers == nil {
		d.registers = new([distinctRegisters]uint8)
	}
	for i, r := range o.registers {
		d.registers[i] = max(d.registers[i], r)
	}
}

// Estimate returns the number of different values.
func (d *Distinct) Estimate() float64 {
	if d.registers == nil {
		return 0
	}
	var count [maxRank + 1]int
	for _, r := range d.registers {
		count[r]++
	}
	const m = distinctRegisters
	z := float64(m * tau(1-float64(count[maxRank])/m))
	for k := maxRank - 1; k >= 1; k-- {
		z = 0.5 * (z + float64(count[k]))
	}
	z += float64(m * sigma(float64(count[0])/m))
	return m * m / (2 * math.Ln2 * z)
}

// sigma returns x + Σ x^(2^k)·2^(k−1), for k from 1.
func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for {
		x = float64(x * x)
		last := z
		z += float64(x * y)
		y += y
		if z == last {
			return z
		}
	}
}

// tau returns (1 − x − Σ (1 − x^(2^−k))²·2^−k) / 3, for k from 1.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		last := z
		y *= 0.5
		z -= float64((1 - x) * (1 - x) * y)
		if z == last {
			return z / 3
		}
	}
}

// AppendBinary appends the number of registers in use and then, if they are
// fewer than a fourth, each one's distance to the one before and its rank, and
// else all ranks.
func (d *Distinct) AppendBinary(b []byte) ([]byte, error) {
	used := 0
	if d.registers == nil {
		return binary.AppendUvarint(b, 0), nil
	}
	for _, r := range d.registers {
		if r > 0 {
			used++
		}
	}
	b = binary.AppendUvarint(b, uint64(used))
	if used >= distinctRegisters/4 {
		return append(b, d.registers[:]...), nil
	}
	last := -1
	for i, r := range d.registers {
		if r > 0 {
			b = binary.AppendUvarint(b, uint64(i-last-1))
			b = append(b, r)
			last = i
		}
	}
	return b, nil
}

// MarshalBinary returns the canonical bytes of d.
func (d *Distinct) MarshalBinary() ([]byte, error) { return d.AppendBinary(nil) }

// UnmarshalBinary reads what MarshalBinary wrote. Other bytes give [ErrFormat].
func (d *Distinct) UnmarshalBinary(data []byte) error {
	r := &reader{data: data}
	used := int(min(r.uvarint(), distinctRegisters+1))
	var out Distinct
	if used > 0 {
		out.registers = new([distinctRegisters]uint8)
	}
	switch {
	case used > distinctRegisters:
		r.fail("%d registers", used)
	case used >= distinctRegisters/4:
		copy(out.registers[:], r.bytes(distinctRegisters))
		out.check(r, used)
	default:
		out.read(r, used)
	}
	if err := r.end(); err != nil {
		return err
	}
	*d = out
	return nil
}

// check refuses registers that no hash can give, or that are not as many as said.
func (d *Distinct) check(r *reader, used int) {
	for _, rank := range d.registers {
		if rank > 0 {
			used--
		}
		if rank > maxRank {
			r.fail("rank %d", rank)
		}
	}
	if used != 0 {
		r.fail("%d registers more or fewer than said", used)
	}
}

// read reads the registers in use one by one.
func (d *Distinct) read(r *reader, used int) {
	i := -1
	for range used {
		gap, rank := r.uvarint(), r.bytes(1)[0]
		if r.err != nil {
			return
		}
		if gap >= distinctRegisters || i+1+int(gap) >= distinctRegisters || rank == 0 || rank > maxRank {
			r.fail("register %d+%d with rank %d", i, gap, rank)
			return
		}
		i += 1 + int(gap)
		d.registers[i] = rank
	}
}
