//! The import table of this very program: none of the DLLs may stand in it.
//!
//! Microsoft PE/COFF specification, sections 3 and 6.4: at 0x3c the offset of the header; behind its 24 bytes the optional
//! header, whose second directory is the import table; sections say where addresses lie in the file.

use wcow_hcs::Dll;

struct Image(Vec<u8>);

impl Image {
    fn number(&self, offset: usize, bytes: usize) -> usize {
        let field = self.0.get(offset..offset + bytes).expect("a whole file");
        field
            .iter()
            .rev()
            .fold(0, |sum, &byte| sum << 8 | usize::from(byte))
    }

    /// Where an address lies in the file.
    fn offset_of(&self, address: usize) -> usize {
        let header = self.number(0x3c, 4);
        let sections = header + 24 + self.number(header + 20, 2);
        (0..self.number(header + 6, 2))
            .map(|index| sections + 40 * index)
            .find_map(|section| {
                let inside = address.checked_sub(self.number(section + 12, 4))?;
                (inside < self.number(section + 16, 4))
                    .then(|| self.number(section + 20, 4) + inside)
            })
            .expect("an address inside of a section")
    }

    fn imported_dlls(&self) -> Vec<String> {
        let optional = self.number(0x3c, 4) + 24;
        assert_eq!(self.number(optional, 2), 0x20b, "a 64-bit program");
        let table = self.offset_of(self.number(optional + 112 + 8, 4));
        (0..)
            .map(|index| self.number(table + 20 * index + 12, 4))
            .take_while(|&name| name != 0)
            .map(|name| {
                let rest = self.0.get(self.offset_of(name)..).expect("inside");
                let text = rest.iter().take_while(|&&byte| byte != 0);
                text.map(|&byte| char::from(byte)).collect()
            })
            .collect()
    }
}

#[test]
fn this_program_starts_where_no_such_dll_is() {
    let program = std::env::current_exe().expect("it has a path");
    let imported = Image(std::fs::read(program).expect("it can be read")).imported_dlls();
    let has = |name: &str| {
        imported
            .iter()
            .any(|found| found.eq_ignore_ascii_case(name))
    };
    assert!(has("kernel32.dll"), "the table was not found: {imported:?}");
    for dll in Dll::ALL {
        assert!(!has(dll.file_name()), "{dll} is linked: {imported:?}");
    }
}
