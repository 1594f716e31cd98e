//! Tests of `quantity`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::QuantityError::{NotANumber, OutOfRange, TooLong, TooManyDecimals};
use super::*;

fn q(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

#[test]
fn reads_exactly() {
    let table = "0 0,-0 0,-0.000e5 0,0e999999999999999999999999 0,1 1000000,0.1 100000,\
        -3.25 -3250000,1.0000000 1000000,100.00000000000 100000000,0.0000010 1,\
        1e3 1000000000,1.5E-1 150000,1500000000e-9 1500000,0.0000000000000001e+16 1000000,\
        10203.040506 10203040506,999999999999.999999 999999999999999999,\
        -999999999999999999e-6 -999999999999999999";
    for (text, micros) in table.split(',').map(|row| row.split_once(' ').unwrap()) {
        assert_eq!(
            Quantity::parse(text),
            Ok(Quantity(micros.parse().unwrap())),
            "{text}"
        );
    }
}

#[test]
fn refuses_with_the_right_reason() {
    let refused = |texts: &str, why| {
        for text in texts.split('|') {
            assert_eq!(Quantity::parse(text), Err(why), "{text}");
        }
    };
    refused(
        "|-|+1|.5|5.|1.e3|01|-01|1e|1e+|1e+-1|NaN|Infinity|-Infinity|inf",
        NotANumber,
    );
    refused("0x10| 1|1 |1_000|1,5|１|1.2.3|1e1.5|null|--1", NotANumber);
    refused(
        "0.0000001|1e-400|1e-7|-1.2345678|1e-99999999999999999999",
        TooManyDecimals,
    );
    refused(
        "1e12|1e400|-1000000000000|1e99999999999999999999|1000000000000e-0",
        OutOfRange,
    );
    refused(&"1".repeat(64), OutOfRange);
    refused(&"1".repeat(65), TooLong);
    let most = Quantity(i128::MAX);
    assert_eq!(Quantity::parse_sum(&most.to_string()), Ok(most));
    let beyond = "170141183460469231731687303715884.105728";
    assert_eq!(Quantity::parse_sum(beyond), Err(OutOfRange));
}

#[test]
fn writes_normalised() {
    for (micros, text) in [
        (0, "0"),
        (500_000, "0.5"),
        (-1, "-0.000001"),
        (100_000_000, "100"),
        (-3_250_000, "-3.25"),
        (i128::MIN, "-170141183460469231731687303715884.105728"),
    ] {
        assert_eq!(Quantity(micros).to_string(), text);
    }
    assert_eq!(
        [q("1"), q("1.5"), q("-0.000001")].map(Quantity::decimals),
        [0, 1, 6]
    );
}

#[test]
fn json_keeps_every_digit() {
    let json = "[0.1,12,-999999999999.999999,10000000000000000000]";
    let read: Vec<Quantity> = serde_json::from_str(json).unwrap();
    assert_eq!(read[2], Quantity::MAX_EVENT.neg());
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    let text = r#""12.5""#;
    assert_eq!(serde_json::from_str::<Quantity>(text).unwrap(), q("12.5"));
    assert_eq!(
        serde_json::from_str::<Option<Quantity>>("null").unwrap(),
        None
    );
    for bad in ["true", "{}", "[1]", "\"x\"", "0.0000001", "null"] {
        assert!(serde_json::from_str::<Quantity>(bad).is_err(), "{bad}");
    }
    assert_eq!(
        serde_json::to_value(q("12")).unwrap(),
        serde_json::json!(12)
    );
}

#[test]
fn rounds_half_even() {
    let table = "5/2=2 7/2=4 -5/2=-2 -7/2=-4 5/-2=-2 1/2=0 3/2=2 -1/2=0 2/3=1 1/3=0 60/60=1 7/0=7";
    for row in table.split(' ') {
        let (division, expected) = row.split_once('=').unwrap();
        let (micros, divisor) = division.split_once('/').unwrap();
        let micros = Quantity(micros.parse().unwrap());
        let rounded = micros.div_round_half_even(divisor.parse().unwrap());
        assert_eq!(rounded, Quantity(expected.parse().unwrap()), "{row}");
    }
    let least = Quantity(i128::MIN);
    assert_eq!(least.div_round_half_even(-1), Quantity(i128::MAX));
}

#[test]
fn percentages() {
    assert_eq!(q("1").percent_of(q("3")), Some(q("33.333333")));
    assert_eq!(q("2").percent_of(q("3")), Some(q("66.666667")));
    assert_eq!(q("80").percent_of(q("100")), Some(q("80")));
    assert_eq!(q("-5").percent_of(q("2")), Some(q("-250")));
    assert_eq!(q("5").percent_of(Quantity::ZERO), None);
    assert_eq!(Quantity(i128::MAX).percent_of(Quantity::ONE), None);
    assert_eq!(Quantity(i128::MIN).percent_of(Quantity(-1)), None);
    // 0.0000005 % is a tie and goes to the even neighbour, 0.
    assert_eq!(q("0.000001").percent_of(q("200")), Some(Quantity::ZERO));
    assert_eq!(q("0.000003").percent_of(q("200")), Some(Quantity(2)));
}

#[test]
fn edges_saturate_or_report() {
    assert_eq!(Quantity(i128::MAX).checked_add(Quantity(1)), None);
    assert_eq!(Quantity(i128::MIN).checked_sub(Quantity(1)), None);
    assert_eq!(Quantity(i128::MAX).checked_mul_int(2), None);
    assert_eq!(Quantity(i128::MIN).abs(), Quantity(i128::MAX));
    assert_eq!([q("-0.5"), q("1.9")].map(Quantity::floor_int), [-1, 1]);
}

proptest! {
    #[test]
    fn text_round_trips(micros in any::<i128>()) {
        prop_assume!(micros != i128::MIN);
        let quantity = Quantity(micros);
        prop_assert_eq!(Quantity::parse_sum(&quantity.to_string()), Ok(quantity));
        let json = serde_json::to_string(&quantity).unwrap();
        prop_assert_eq!(&json, &quantity.to_string());
        prop_assert_eq!(serde_json::from_str::<Quantity>(&json).unwrap(), quantity);
    }

    #[test]
    fn exponents_shift_the_point(micros in -1_000_000_000_i128..1_000_000_000, shift in -20_i32..20) {
        let text = format!("{micros}e{shift}");
        let (digits, power) = (micros, shift + 6);
        let exact = if power >= 0 {
            Some(digits * 10_i128.pow(power as u32))
        } else {
            let unit = 10_i128.pow(power.unsigned_abs());
            (digits % unit == 0).then(|| digits / unit)
        };
        match (exact, Quantity::parse_sum(&text)) {
            (Some(exact), read) => prop_assert_eq!(read, Ok(Quantity(exact))),
            (None, read) => prop_assert_eq!(read, Err(QuantityError::TooManyDecimals)),
        }
    }

    #[test]
    fn never_panics(text in "\\PC{0,70}|-?[0-9]{0,40}(\\.[0-9]{0,20})?([eE][-+]?[0-9]{0,20})?") {
        let _ = Quantity::parse_sum(&text);
    }

    #[test]
    fn rounding_is_within_half(micros in any::<i64>(), divisor in any::<i64>()) {
        prop_assume!(divisor != 0);
        let rounded = Quantity(i128::from(micros)).div_round_half_even(divisor).micros();
        let error = rounded * i128::from(divisor) - i128::from(micros);
        prop_assert!(error.unsigned_abs() * 2 <= u128::from(divisor.unsigned_abs()));
    }
}
