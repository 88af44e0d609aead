//! Memory that was freed, and the kernel.

/// Hands memory that was freed back to the kernel: glibc keeps what lies between other memory until it is asked. Other libraries hand it
/// back by themselves.
pub fn give_back_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it touches no memory that is in use, and may be called at any time.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}
