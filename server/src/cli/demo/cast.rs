//! Who plays: forty people of three organisations, their devices and their addresses.

/// One person of the demo.
pub(super) struct Person {
    pub(super) username: &'static str,
    pub(super) name: &'static str,
    pub(super) role: &'static str,
    pub(super) organisation: &'static Organisation,
    pub(super) team: &'static str,
}

/// One organisation, with the pages of the app its people use.
pub(super) struct Organisation {
    pub(super) name: &'static str,
    pub(super) domain: &'static str,
    pub(super) pages: &'static [&'static str],
    /// What its people send: names and workflows.
    pub(super) uploads: &'static [(&'static str, &'static str)],
    /// What is made for them: names and sources.
    pub(super) outputs: &'static [(&'static str, &'static str)],
}

static SCHOOL: Organisation = Organisation {
    name: "Harbour School",
    domain: "harbour.example",
    pages: &["/", "/courses", "/courses/algebra", "/courses/history", "/grades", "/messages", "/library", "/timetable"],
    uploads: &[("essay.txt", "Homework"), ("grades.csv", "Grades"), ("field trip.txt", "Letters home")],
    outputs: &[("timetable.csv", "Timetable"), ("report cards.csv", "Grades")],
};
static CLINIC: Organisation = Organisation {
    name: "Meridian Clinic",
    domain: "meridian.example",
    pages: &["/", "/rota", "/wards/3", "/wards/5", "/appointments", "/stock", "/messages", "/handover"],
    uploads: &[("rota.csv", "Rota"), ("stock count.csv", "Stock"), ("handover.txt", "Handover")],
    outputs: &[("stock to order.csv", "Stock"), ("rota of the week.csv", "Rota")],
};
static WORKS: Organisation = Organisation {
    name: "Atlas Works",
    domain: "atlas.example",
    pages: &["/", "/orders", "/orders/1042", "/orders/1043", "/stock", "/machines/7", "/reports", "/calendar"],
    uploads: &[("order 1042.csv", "Orders"), ("inspection.txt", "Machines"), ("hours.csv", "Payroll")],
    outputs: &[("open orders.csv", "Orders"), ("payroll.csv", "Payroll")],
};

const fn person(
    username: &'static str,
    name: &'static str,
    role: &'static str,
    organisation: &'static Organisation,
    team: &'static str,
) -> Person {
    Person { username, name, role, organisation, team }
}

pub(super) static CAST: [Person; 40] = [
    person("ngozi", "Ngozi Adeyemi", "manager", &SCHOOL, "Office"),
    person("bjork", "Björk Jónsdóttir", "teacher", &SCHOOL, "Sciences"),
    person("rahul", "Rahul Deshpande", "teacher", &SCHOOL, "Sciences"),
    person("mai", "Nguyễn Thị Mai", "teacher", &SCHOOL, "Languages"),
    person("tomasz", "Tomasz Wójcik", "teacher", &SCHOOL, "Languages"),
    person("leila", "لیلا رستمی", "teacher", &SCHOOL, "Sciences"),
    person("sofia", "Sofía Hernández", "student", &SCHOOL, "Year 9"),
    person("kenji", "田中 健二", "student", &SCHOOL, "Year 9"),
    person("amara", "Amara Diallo", "student", &SCHOOL, "Year 9"),
    person("lukas", "Lukáš Novák", "student", &SCHOOL, "Year 9"),
    person("priya", "பிரியா முருகன்", "student", &SCHOOL, "Year 10"),
    person("oisin", "Oisín Ó Briain", "student", &SCHOOL, "Year 10"),
    person("hana", "하나 김", "student", &SCHOOL, "Year 10"),
    person("mateo", "Mateo Quispe", "student", &SCHOOL, "Year 10"),
    person("freja", "Freja Sørensen", "student", &SCHOOL, "Year 10"),
    person("tane", "Tāne Parata", "student", &SCHOOL, "Year 10"),
    person("eleni", "Ελένη Παπαδάκη", "manager", &CLINIC, "Front desk"),
    person("olena", "Олена Шевчук", "member", &CLINIC, "Ward 3"),
    person("yusuf", "Yusuf Öztürk", "member", &CLINIC, "Ward 3"),
    person("fatima", "فاطمة الزهراء بناني", "member", &CLINIC, "Ward 3"),
    person("joao", "João Figueiredo", "member", &CLINIC, "Ward 5"),
    person("wanjiru", "Wanjirũ Kamau", "member", &CLINIC, "Ward 5"),
    person("li", "李娜", "member", &CLINIC, "Ward 5"),
    person("noa", "נועה לוי", "member", &CLINIC, "Front desk"),
    person("andrei", "Andrei Ionescu", "member", &CLINIC, "Ward 3"),
    person("malia", "Mālia Kealoha", "member", &CLINIC, "Ward 5"),
    person("siddharth", "सिद्धार्थ जोशी", "member", &CLINIC, "Ward 3"),
    person("chloe", "Chloé Lefèvre", "member", &CLINIC, "Front desk"),
    person("ruth", "Ruth van der Merwe", "manager", &WORKS, "Planning"),
    person("kwame", "Kwame Boateng", "member", &WORKS, "Planning"),
    person("giulia", "Giulia D’Angelo", "member", &WORKS, "Planning"),
    person("dmitri", "Дмитрий Соколов", "member", &WORKS, "Floor"),
    person("somchai", "สมชาย ใจดี", "member", &WORKS, "Floor"),
    person("emre", "Emre Şahin", "member", &WORKS, "Floor"),
    person("ines", "Inés Mamani", "member", &WORKS, "Floor"),
    person("aroha", "Aroha Ngata", "member", &WORKS, "Sales"),
    person("hans", "Hans-Jürgen Müller", "member", &WORKS, "Sales"),
    person("zeynep", "Zeynep Kılıç", "member", &WORKS, "Sales"),
    person("ayasha", "Ayasha Whitehorse", "member", &WORKS, "Floor"),
    person("mykola", "Микола Бондар", "member", &WORKS, "Planning"),
];

/// Browsers as they name themselves.
pub(super) static DESKTOPS: [&str; 6] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
];
pub(super) static PHONES: [&str; 4] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
];

/// What busy people say.
pub(super) static MESSAGES: [&str; 6] =
    ["In a meeting", "On the phone", "Marking exams", "With a patient", "Focus time until lunch", "Back at three"];

/// One browser of a person.
pub(super) struct Device {
    pub(super) person: &'static Person,
    pub(super) user_agent: &'static str,
    pub(super) address: String,
}

/// Everybody has a browser; every fourth has a second one on the phone.
pub(super) fn devices() -> Vec<Device> {
    let mut all = Vec::new();
    for (i, person) in CAST.iter().enumerate() {
        // Networks set aside for examples (RFC 5737, RFC 3849).
        let address = match i % 4 {
            0 => format!("192.0.2.{}", i + 10),
            1 => format!("198.51.100.{}", i + 10),
            2 => format!("203.0.113.{}", i + 10),
            _ => format!("2001:db8::{:x}", i + 0x100),
        };
        let first = if i % 5 == 4 { PHONES[i % PHONES.len()] } else { DESKTOPS[i % DESKTOPS.len()] };
        all.push(Device { person, user_agent: first, address });
        if i % 4 == 0 {
            let address = format!("203.0.113.{}", i + 100);
            all.push(Device { person, user_agent: PHONES[(i / 4) % PHONES.len()], address });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, net::IpAddr};

    use super::*;

    #[test]
    fn everybody_can_be_told_apart() {
        let names: BTreeSet<_> = CAST.iter().map(|p| p.username).collect();
        assert_eq!(names.len(), CAST.len());
        assert!(CAST.iter().all(|p| domain::account::username(p.username).as_deref() == Ok(p.username)));
        assert!(CAST.iter().all(|p| domain::account::BUILT_IN_ROLES.iter().any(|(role, _)| *role == p.role)));
        let devices = devices();
        let addresses: BTreeSet<_> = devices.iter().map(|d| &d.address).collect();
        assert_eq!(addresses.len(), devices.len());
        assert!(devices.iter().all(|d| d.address.parse::<IpAddr>().is_ok()));
    }
}
