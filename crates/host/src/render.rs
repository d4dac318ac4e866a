//! Host answers as a console of their time showed them.
