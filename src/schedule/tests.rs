use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_795_996_800;

fn outcome(unit: &Value) -> Result<Schedule, Refusal> {
    let unit = normalized(unit.as_object().unwrap());
    let schedule = parse(&unit)?;
    schedule.check_from(NOW)?;
    Ok(schedule)
}

/// Cases that the scheduler arms but this service refuses, and the reverse.
const STRICTER: &[&str] = &["int-zero", "fires-i-zero", "fires-s-end-before-start"];
const MILDER: &[&str] = &["cron-day-names", "int-two-blanks"];

#[test]
fn only_schedules_that_the_scheduler_arms_are_taken() {
    let cases: Value = serde_json::from_str(include_str!("cases.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let armable = case["armable"] == json!(true);
        let expected = (armable && !STRICTER.contains(&id)) || MILDER.contains(&id);
        let outcome = outcome(&case["schedule"]);
        assert_eq!(outcome.is_ok(), expected, "{id}: {outcome:?}");
        let Ok(schedule) = outcome else { continue };
        assert_eq!(schedule.is_armable(), id != "cron-day-names", "{id}");
        if let Some(kind) = case["kind"].as_str() {
            let is = match schedule.trigger {
                Trigger::Now => "now",
                Trigger::Date(_) => "date",
                Trigger::Interval(_) => "interval",
                Trigger::Cron(_) => "cron",
            };
            assert_eq!(is, kind, "{id}");
        }
    }
}

#[test]
fn a_refusal_names_the_key() {
    for (key, bad) in [
        ("schedule_date", "2027-02-30T00:00:00"),
        ("schedule_date", "2027-01-01T00:00:00.1234567"),
        ("schedule_date", "0000-01-01T00:00:00"),
        ("schedule_date", "9999-12-31T23:59:59-01:00"),
        ("schedule_start_date", "2026-02-29T00:00:00Z"),
        ("schedule_end_date", "12026-01-01T00:00:00"),
        ("schedule_interval", "1 day"),
        ("schedule_interval", "0 hours"),
        ("schedule_interval", "000 weeks"),
        ("schedule_interval", "99999999999 days"),
        ("schedule_interval", "99999999999999999999999 seconds"),
        ("schedule_interval", "500000 weeks"),
        ("schedule_year", "26"),
        ("schedule_year", "10000"),
        ("schedule_month", "jan-march"),
        ("schedule_month", "dec-jan"),
        ("schedule_day", "1, 32"),
        ("schedule_day", "1st monday"),
        ("schedule_day", "first mon"),
        ("schedule_week", "0"),
        ("schedule_week", "50-54"),
        ("schedule_day_of_week", "7"),
        ("schedule_day_of_week", "funday"),
        ("schedule_hour", ""),
        ("schedule_hour", "22-25"),
        ("schedule_hour", "*/24"),
        ("schedule_hour", "30/2"),
        ("schedule_minute", "5-10/6"),
        ("schedule_minute", "1,2,,3"),
        ("schedule_second", "99999999999999999999"),
    ] {
        assert_eq!(outcome(&json!({key: bad})).map_err(|refusal| refusal.key), Err(key.to_owned()), "{bad}");
    }
}

#[test]
fn schedules_in_freezers_own_documents_are_taken() {
    for unit in [
        json!({"schedule_month": "1-6, 9-12"}),
        json!({"schedule_day": "mon, wed, fri"}),
        json!({"schedule_day": "1st mon, 3rd FRI"}),
        json!({"schedule_day": "last   sun"}),
        json!({"schedule_hour": "*/2", "schedule_minute": "0"}),
        json!({"schedule_interval": "5   days"}),
        json!({"schedule_date": "", "schedule_interval": "continuous", "schedule_hour": ""}),
        json!({"schedule_start_date": "2026-11-28T00:00:00.123456789Z", "schedule_end_date": "2026-11-28T01:00:01+01:00"}),
        json!({"schedule_year": "*"}),
    ] {
        assert!(outcome(&unit).is_ok(), "{unit}: {:?}", outcome(&unit));
    }
}

#[test]
fn an_end_is_compared_with_its_start_in_utc() {
    let unit = json!({"schedule_start_date": "2026-11-28T00:00:00Z", "schedule_end_date": "2026-11-28T00:30:00+01:00"});
    assert_eq!(outcome(&unit).map_err(|refusal| refusal.key), Err("schedule_end_date".to_owned()));
}

#[test]
fn fields_are_typed() {
    let schedule = outcome(&json!({"schedule_hour": "8-17/3,22", "schedule_day": "2nd fri"})).unwrap();
    let Trigger::Cron(cron) = schedule.trigger else { panic!("{schedule:?}") };
    assert_eq!(cron.fields[2], Some(vec![Expression::Nth { nth: Some(2), weekday: 4 }]));
    let hours = [
        Expression::Range { first: 8, last: Some(17), step: Some(3) },
        Expression::Range { first: 22, last: Some(22), step: None },
    ];
    assert_eq!(cron.fields[5].as_deref(), Some(&hours[..]));
}
