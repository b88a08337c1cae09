//! Probabilities in words.

/// A probability, from 0 to 1, as the words of a bet: `1 in 3 million`.
pub fn odds_in_words(p: f64) -> String {
    if p <= 0.0 {
        return "0".to_owned();
    }
    // a billionth is 1 in a billion, whatever the division makes of it
    let odds = 1.0 / p * (1.0 + 1e-9);
    // two digits are enough
    let scale = 10f64.powf((odds.log10() - 1.0).floor());
    let odds = (odds / scale).floor() * scale;
    match odds {
        ..10.0 => format!("{:.0} in 100", p * 100.0),
        ..1e6 => format!("1 in {}", thousands(odds)),
        ..2e6 => "1 in a million".to_owned(),
        ..1e12 => format!("1 in {} million", thousands((odds / 1e6).floor())),
        _ => "less than 1 in a million million".to_owned(),
    }
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_in_words() {
        assert_eq!(odds_in_words(0.5), "50 in 100");
        assert_eq!(odds_in_words(1e-3), "1 in 1,000");
        assert_eq!(odds_in_words(4e-6), "1 in 250,000");
        assert_eq!(odds_in_words(1e-6), "1 in a million");
        assert_eq!(odds_in_words(2.9e-7), "1 in 3 million");
        assert_eq!(odds_in_words(1e-9), "1 in 1,000 million");
        assert_eq!(odds_in_words(0.0), "0");
        assert_eq!(odds_in_words(1.0), "100 in 100");
        assert_eq!(odds_in_words(1e-30), "less than 1 in a million million");
    }
}
