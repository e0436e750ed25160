package evaluate

import "math"

// The functions of package math are assembly on some machines and Go on others,
// and differ in the last bit. These are plain Go, and every product that goes into
// a sum is rounded first, so that no processor fuses the two. They are good to a
// few units in the last place.

const (
	ln2High = 6.93147180369123816490e-01
	ln2Low  = 1.90821492927058770002e-10
)

// log returns the natural logarithm of a positive, finite x.
//
// Source: FreeBSD's e_log.c.
func log(x float64) float64 {
	f, exponent := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f *= 2
		exponent--
	}
	f--
	k := float64(exponent)
	s := f / (2 + f)
	square := float64(s * s)
	fourth := float64(square * square)
	odd := float64(square * polynomial(fourth, 6.666666666666735130e-01, 2.857142874366239149e-01, 1.818357216161805012e-01, 1.479819860511658591e-01))
	even := float64(fourth * polynomial(fourth, 3.999999999940941908e-01, 2.222219843214978396e-01, 1.531383769920937332e-01))
	half := float64(0.5 * float64(f*f))
	rest := float64(s*(half+(odd+even))) + float64(k*ln2Low)
	return float64(k*ln2High) - ((half - rest) - f)
}

// exp returns e to the power of a finite x.
//
// Source: FreeBSD's e_exp.c.
func exp(x float64) float64 {
	switch {
	case x > 709.78:
		return math.Inf(1)
	case x < -745.2:
		return 0
	}
	k := math.Floor(float64(x*math.Log2E) + 0.5)
	high := x - float64(k*ln2High)
	low := float64(k * ln2Low)
	r := high - low
	t := float64(r * r)
	c := r - float64(t*polynomial(t, 1.66666666666666657415e-01, -2.77777777770155933842e-03, 6.61375632143793436117e-05, -1.65339022054652515390e-06, 4.13813679705723846039e-08))
	return scaled(1-((low-float64(r*c)/(2-c))-high), int(k))
}

// scaled returns y × 2ᵏ for y around 1. Unless the result is next to 0 or infinite, that
// is one exact product, which is faster than math.Ldexp.
func scaled(y float64, k int) float64 {
	if k < -1020 || k > 1020 {
		return math.Ldexp(y, k)
	}
	return y * math.Float64frombits(uint64(k+1023)<<52)
}

// polynomial returns c₀ + c₁·x + c₂·x² + ….
func polynomial(x float64, c ...float64) float64 {
	sum := 0.0
	for i := len(c) - 1; i >= 0; i-- {
		sum = float64(sum*x) + c[i]
	}
	return sum
}

// logit returns the log odds of p in (0, 1).
func logit(p float64) float64 { return log(p / (1 - p)) }

// logistic returns the probability whose log odds are x.
func logistic(x float64) float64 {
	if x < 0 {
		e := exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + exp(-x))
}

// power returns x to the power of p, for x > 0.
func power(x, p float64) float64 { return exp(float64(p * log(x))) }

// arctan returns the angle of x ≥ 0, in [0, π/2].
func arctan(x float64) float64 {
	if x > 1 {
		return math.Pi/2 - arctan(1/x)
	}
	for range 3 { // arctan x = 2·arctan(x/(1+√(1+x²)))
		x /= 1 + math.Sqrt(1+float64(x*x))
	}
	square := float64(x * x)
	sum := 0.0
	for i := 21; i > 0; i -= 2 {
		sum = 1/float64(i) - float64(square*sum)
	}
	return float64(8 * float64(x*sum))
}

// normalTail returns the probability that a standard normal is above z.
//
// Source: Abramowitz and Stegun, 26.2.11 and 26.2.14.
func normalTail(z float64) float64 {
	if z < 0 {
		return 1 - normalTail(-z)
	}
	density := exp(-float64(z*z)/2) / math.Sqrt(2*math.Pi)
	if z > 3 {
		f := z
		for k := 80; k > 0; k-- {
			f = z + float64(k)/f
		}
		return density / f
	}
	sum, term := z, z
	for k := 3; term > 1e-18; k += 2 {
		term = float64(term*float64(z*z)) / float64(k)
		sum += term
	}
	return 0.5 - float64(density*sum)
}

// normalCDF returns the probability that a standard normal is at most z.
func normalCDF(z float64) float64 { return normalTail(-z) }

// normalQuantile returns the p quantile of a standard normal, p in (0, 1).
//
// Source: Acklam, "An algorithm for computing the inverse normal cumulative
// distribution function", 2003, and one step of Halley's method.
func normalQuantile(p float64) float64 {
	if p > 0.5 {
		return -normalQuantile(1 - p)
	}
	var z float64
	if p < 0.02425 {
		q := math.Sqrt(-float64(2 * log(p)))
		z = polynomial(q, 2.938163982698783e+00, 4.374664141464968e+00, -2.549732539343734e+00, -2.400758277161838e+00, -3.223964580411365e-01, -7.784894002430293e-03) /
			polynomial(q, 1, 3.754408661907416e+00, 2.445134137142996e+00, 3.224671290700398e-01, 7.784695709041462e-03)
	} else {
		q := p - 0.5
		r := float64(q * q)
		z = float64(q*polynomial(r, 2.506628277459239e+00, -3.066479806614716e+01, 1.383577518672690e+02, -2.759285104469687e+02, 2.209460984245205e+02, -3.969683028665376e+01)) /
			polynomial(r, 1, -1.328068155288572e+01, 6.680131188771972e+01, -1.556989798598866e+02, 1.615858368580409e+02, -5.447609879822406e+01)
	}
	e := float64((normalTail(-z)-p)*math.Sqrt(2*math.Pi)) * exp(float64(z*z)/2)
	return z - e/(1+float64(float64(z*e)/2))
}

// studentQuantile returns the p quantile of Student's t with df ≥ 1 degrees of
// freedom, p in (½, 1).
//
// Source: Abramowitz and Stegun, 26.7.3 and 26.7.4; above 1,000 degrees, 26.7.5.
func studentQuantile(p float64, df int) float64 {
	if df > 1000 {
		z, v := normalQuantile(p), float64(df)
		y := float64(z * z)
		return z + float64(z*(1+y))/(4*v) +
			float64(z*polynomial(y, 3, 16, 5))/(96*float64(v*v)) +
			float64(z*polynomial(y, -15, 17, 19, 3))/(384*float64(v*float64(v*v)))
	}
	low, high := 0.0, 1.0 // of the sine of the angle whose tangent is t/√df
	for range 80 {
		if s := (low + high) / 2; studentCentre(s, df) < float64(2*p)-1 {
			low = s
		} else {
			high = s
		}
	}
	return float64(low*math.Sqrt(float64(df))) / math.Sqrt(float64((1-low)*(1+low)))
}

// studentCentre returns the probability that |t| is below the value whose angle has
// the sine s.
func studentCentre(s float64, df int) float64 {
	square := float64((1 - s) * (1 + s))
	sum, term := 0.0, 1.0
	for k := df%2 + 1; k < df; k += 2 {
		sum += term
		term = float64(term*float64(square*float64(k))) / float64(k+1)
	}
	if df%2 == 0 {
		return float64(s * sum)
	}
	cos := math.Sqrt(square)
	if cos == 0 {
		return 1
	}
	return float64(2/math.Pi) * (arctan(s/cos) + float64(float64(s*cos)*sum))
}

// twoSided returns the probability that Student's t with df degrees of freedom is t
// or more from 0, on either side.
func twoSided(t float64, df int) float64 {
	if df > 1000 {
		return 2 * normalTail(t)
	}
	return 1 - studentCentre(t/math.Sqrt(float64(df)+float64(t*t)), df)
}

// A total adds numbers with the rounding errors kept apart.
//
// Source: Neumaier, 1974.
type total struct{ sum, rest float64 }

func (t *total) add(x float64) {
	s := t.sum + x
	if math.Abs(t.sum) >= math.Abs(x) {
		t.rest += (t.sum - s) + x
	} else {
		t.rest += (x - s) + t.sum
	}
	t.sum = s
}

func (t *total) value() float64 { return t.sum + t.rest }
